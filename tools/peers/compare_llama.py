#!/usr/bin/env python3
"""Compares what a language model foretells here with what it foretells in llama.cpp, from the same GGUF file:
usage tools/peers/compare_llama.py MODEL.gguf [--text FILE] [--activations auto]
    [--build build/release] [--threads 2]

llama.cpp goes on with 20 prompts by the likeliest token, 64 tokens each; both sides are then asked for each of
these tokens after the ones before it. Printed: how often the likeliest token is the same; where it is not, the
largest gap between the two in our logits; the mean and largest Kullback-Leibler divergence of our
probabilities from llama.cpp's. With --text, the perplexity of that text in windows of 512 tokens, of which
256 are scored, on both sides (the ids are llama.cpp's; `ffn eval` makes its own).

Needs numpy, safetensors and llama-cpp-python 0.3.36, and the targets ffn and forced_logits.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import llama_cpp
import numpy as np
import safetensors.numpy

NEW, WINDOW, STRIDE = 64, 512, 256
PROMPTS = (
    "The capital of France is", "Once upon a time there was a", "def fibonacci(n):\n", "Water boils at",
    "The three laws of thermodynamics are", "Dear Sir or Madam,\n", "1, 1, 2, 3, 5, 8,",
    "In 1969, the first human", "The recipe needs two eggs,", "Photosynthesis is the process by which",
    "A neural network consists of layers that", "SELECT name, age FROM people WHERE",
    "Der schnelle braune Fuchs", "La vie est", "To be or not to be,", "#include <stdio.h>\n\nint main",
    "The stock market fell today because", "Q: What is the largest planet?\nA:", "My favourite colour is",
    "The feed-forward layer of a Transformer")


def log_softmax(logits):
    logits = logits.astype(np.float64)
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def answer(model, prompt):
    """(ids of the prompt and of llama.cpp's answer, the logits each id of the answer was chosen by)"""
    model.reset()
    ids = model.tokenize(prompt.encode(), add_bos=True, special=False)
    count, rows = len(ids), []
    model.eval(ids)
    for _ in range(NEW):
        rows.append(np.array(llama_cpp.llama_get_logits_ith(model.ctx, -1)[:model.n_vocab()], np.float32))
        ids.append(int(rows[-1].argmax()))
        model.eval(ids[-1:])
    return count, ids, np.stack(rows)


def forced(program, arguments, texts, vocabulary):
    with tempfile.TemporaryDirectory() as folder:
        tensors = {f"ids{i}": np.array(ids, np.int32) for i, (_, ids, _) in enumerate(texts)}
        tensors["prompts"] = np.array([count for count, _, _ in texts], np.int32)
        safetensors.numpy.save_file(tensors, f"{folder}/inputs.safetensors")
        subprocess.run([program, arguments.model, f"{folder}/inputs.safetensors", f"{folder}/out",
                        str(arguments.threads), arguments.activations], check=True)
        return np.fromfile(f"{folder}/out", np.float32).reshape(len(texts), NEW, vocabulary)


def compare_answers(arguments, model):
    texts = [answer(model, prompt) for prompt in PROMPTS]
    ours = forced(f"{arguments.build}/tests/inference/forced_logits", arguments, texts, model.n_vocab())
    same, gaps, divergences = 0, [0.0], []
    for (_, _, theirs), mine in zip(texts, ours):
        wanted, found = theirs.argmax(1), mine.argmax(1)
        same += int((wanted == found).sum())
        rows = np.arange(NEW)
        gaps += list((mine[rows, found] - mine[rows, wanted])[wanted != found])
        p, q = log_softmax(theirs), log_softmax(mine)
        divergences += list((np.exp(p) * (p - q)).sum(1))
    print(f"{same} of {len(PROMPTS) * NEW} likeliest tokens are the same; largest gap of the others "
          f"{max(gaps):.4f}; divergence {np.mean(divergences):.2e} in the mean, {max(divergences):.2e} at most")


def perplexity(model, text):
    ids = model.tokenize(text, add_bos=True, special=False)
    total, known, begin, nats = len(ids), 0, 0, 0.0
    while known < total - 1:
        end = min(begin + WINDOW, total - 1)
        model.reset()
        model.eval(ids[begin:end])
        rows = log_softmax(np.array(model.scores[known - begin:end - begin]))
        nats -= rows[np.arange(end - known), ids[known + 1:end + 1]].sum()
        known, begin = end, begin + STRIDE
    return np.exp(nats / (total - 1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--text")
    parser.add_argument("--activations", default="auto", choices=("auto", "f32", "int8"),
                        help="what products with quantised weights take here; auto: int8, but f32 for prompts")
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()

    def opened(**options):
        return llama_cpp.Llama(arguments.model, n_threads=arguments.threads, verbose=False,
                               n_threads_batch=arguments.threads, **options)

    compare_answers(arguments, opened(n_ctx=WINDOW))
    if arguments.text:
        model = opened(n_ctx=WINDOW, n_batch=WINDOW, n_ubatch=WINDOW, logits_all=True)
        theirs = perplexity(model, pathlib.Path(arguments.text).read_bytes())
        precision = "f32" if arguments.activations == "f32" else "int8"
        done = subprocess.run([f"{arguments.build}/ffn", "eval", arguments.model, "--data",
                               f"text:{arguments.text}", "--window", str(WINDOW), "--stride", str(STRIDE),
                               "--threads", str(arguments.threads), "--activations", precision, "-o", "json"],
                              check=True, capture_output=True, text=True)
        ours = json.loads(done.stdout)["rows"][0]["perplexity"]
        print(f"perplexity with {precision}: {ours:.3f}, llama.cpp {theirs:.3f}, ratio {ours / theirs:.4f}")


if __name__ == "__main__":
    main()
