#!/usr/bin/env python3
"""Language models from the command line: usage test_text.py [BUILD] (default build/release).

A run on text that is killed ends with the bits of one that was not, for any number of threads; a comparison of
text is judged in bits per byte over documents; options that text would ignore, and files that are no text, are
refused in one line. Data: made-up sentences.
"""
import json
import math
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else ROOT / "build" / "release"
FFN = str((BUILD if BUILD.is_absolute() else ROOT / BUILD) / "ffn")
RECIPE = ["--model", "lm-pico", "--context", "32", "--batch", "8", "--steps", "40", "--lr", "3e-3"]


def ffn(*arguments, **options):
    return subprocess.run([FFN, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300,
                          **options)


def byte_tokenizer():
    """A tokenizer.json of 256 tokens: GPT-2's letters for the bytes, in the bytes' order."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in kept}
    for byte in sorted(set(range(256)) - set(kept)):
        letters[byte] = chr(256 + len(letters) - len(kept))
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
            "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                      "ignore_merges": False, "vocab": {letters[byte]: byte for byte in range(256)},
                      "merges": []}}


def make_text(path):
    stream = random.Random(3)
    words = "the feed forward layer stores what a model knows in keys and values".split()
    with open(path, "w") as file:
        for _ in range(2500):
            file.write(" ".join(stream.choice(words) for _ in range(12)) + ".\n\n")


class Text(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="ffn_text_"))
        make_text(cls.folder / "text.txt")
        cls.data = f"text:{cls.folder / 'text.txt'}"
        cls.whole = cls.folder / "whole"
        done = ffn("train", *RECIPE, "--ffn", "glu(silu)", "--data", cls.data, "--checkpoint-steps", "4", "--out",
                   cls.whole, "-o", "json")
        assert done.returncode == 0, done.stderr
        cls.row = json.loads(done.stdout)["rows"][0]

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def assert_same_end(self, run):
        for name in ("model/model.safetensors", "metrics.jsonl", "result.json"):
            self.assertEqual((run / name).read_bytes(), (self.whole / name).read_bytes(), name)

    def test_a_run_learns_and_is_scored_in_bits(self):
        self.assertLess(self.row["test_bits_per_byte"], 4.0)  # 8 knows nothing
        self.assertGreater(self.row["test_standard_error"], 0)
        found = ffn("eval", self.whole / "model", "--data", self.data, "-o", "json", "--threads", "1")
        score = json.loads(found.stdout)["rows"][0]
        self.assertEqual(score["bits_per_byte"], self.row["test_bits_per_byte"])
        self.assertEqual(score["standard_error"], self.row["test_standard_error"])
        config = json.loads((self.whole / "model/config.json").read_text())
        self.assertEqual(config["model_type"], "llama")

    def test_killed_runs_and_one_thread_end_with_the_same_bits(self):
        run = self.folder / "killed"
        command = [FFN, "train", *RECIPE, "--ffn", "glu(silu)", "--data", self.data, "--checkpoint-steps", "4",
                   "--out", str(run)]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while child.poll() is None and not list(run.glob("checkpoints/step-*")):
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        child.wait()
        self.assertEqual(ffn("train", "--resume", run, "--threads", "1").returncode, 0)
        self.assert_same_end(run)

    def test_experts_are_seen_and_killed_runs_forget_nothing(self):
        recipe = [*RECIPE, "--ffn", "moe(4, glu(silu), top=2)", "--data", self.data, "--eval-steps", "15"]
        whole, run = self.folder / "experts", self.folder / "experts-killed"
        done = ffn("train", *recipe, "--out", whole, "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        row = json.loads(done.stdout)["rows"][0]
        self.assertTrue(2 <= row["effective_experts"] <= 4, row)
        self.assertEqual(row["dropped_share"], 0)
        found = ffn("eval", whole / "model", "--data", self.data, "--split", "validation", "-o", "json")
        score = json.loads(found.stdout)["rows"][0]
        for name in ("effective_experts", "dead_experts", "dropped_share"):
            self.assertEqual(score[name], row[name])
        lines = [json.loads(line) for line in (whole / "metrics.jsonl").read_text().splitlines()]
        self.assertEqual({line["step"] for line in lines if line["kind"] == "experts"}, {15, 30, 40})
        child = subprocess.Popen([FFN, "train", *map(str, recipe), "--checkpoint-steps", "4", "--out", str(run)],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while child.poll() is None and not list(run.glob("checkpoints/step-*")):
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        child.wait()
        self.assertEqual(ffn("train", "--resume", run, "--threads", "1").returncode, 0)
        for name in ("metrics.jsonl", "experts.json", "result.json"):
            self.assertEqual((run / name).read_bytes(), (whole / name).read_bytes(), name)

    def test_comparisons_show_how_experts_are_used(self):
        out = self.folder / "compared-experts"
        done = ffn("compare", *RECIPE, "--data", self.data, "--ffn", "mlp(gelu)", "--ffn", "moe(4, mlp(gelu), top=1)",
                   "--match", "flops", "--seeds", "2", "--jobs", "2", "--out", out, "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        dense, experts = json.loads(done.stdout)["rows"]
        self.assertIsNone(dense["effective_experts"])
        self.assertTrue(1 <= experts["effective_experts"] <= 4, experts)
        self.assertTrue(0 <= experts["seed_agreement_by_chance"] <= 1 and 0 <= experts["seed_agreement"] <= 1)
        self.assertIn("Expert health", (out / "report.html").read_text())
        self.assertIn("Effective experts", (out / "report.md").read_text())
        self.assertTrue((out / "plots/expert_load.svg").exists())

    def test_the_plan_is_what_training_takes(self):
        planned = ffn("plan", "--data", self.data, "--model", "lm-pico", "--context", "32", "--batch", "8", "--ffn",
                      "glu(silu)", "-o", "json")
        self.assertEqual(json.loads(planned.stdout)["rows"][0]["peak_bytes"], self.row["peak_bytes"])

    def test_comparisons_are_judged_in_bits_per_byte(self):
        out = self.folder / "compared"
        done = ffn("compare", *RECIPE, "--data", self.data, "--ffn", "mlp(gelu)", "--ffn", "glu(silu)", "--ffn",
                   "causal-dwconv(gelu)", "--match", "params", "--seeds", "2", "--jobs", "2", "--out", out, "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads(done.stdout)["rows"]
        self.assertEqual(len(rows), 3)
        for row in rows:
            self.assertLess(row["test_bits_per_byte"], 6)
            self.assertAlmostEqual(row["match_ratio"], 1, delta=0.05)
        page = (out / "report.html").read_text()
        self.assertIn("bits per byte", page)
        self.assertNotIn("picture", page)

    def test_designs_of_pictures_are_refused(self):
        for design in ("dwconv(gelu)", "gmlp(gelu)", "leff(gelu)"):
            done = ffn("plan", "--data", self.data, "--ffn", design)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)

    def test_variants_of_the_block_train(self):
        for options in (["--parallel"], ["--kv-heads", "1"], ["--free-head"]):
            run = self.folder / ("variant" + options[0])
            done = ffn("train", *RECIPE, *options, "--data", self.data, "--out", run)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(ffn("eval", run / "model", "--data", self.data).returncode, 0)


class Run(unittest.TestCase):
    """ffn run and ffn eval of a model with a tokenizer of its own."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="ffn_run_"))
        make_text(cls.folder / "text.txt")
        done = ffn("train", *RECIPE, "--ffn", "glu(silu)", "--data", f"text:{cls.folder / 'text.txt'}", "--out",
                   cls.folder / "run")
        assert done.returncode == 0, done.stderr
        cls.model = cls.folder / "run/model"
        (cls.model / "tokenizer.json").write_text(json.dumps(byte_tokenizer()))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def answer(self, *arguments, **options):
        done = ffn("run", self.model, *arguments, "-o", "json", **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_the_likeliest_tokens_are_the_same_however_asked(self):
        found = self.answer("the feed", "--max-tokens", "12")
        self.assertEqual((found["prompt_tokens"], found["new_tokens"], found["end"]), (8, 12, "max_tokens"))
        self.assertEqual(bytes(found["ids"]).decode(), found["text"])
        for arguments in (["--threads", "1"], ["--top-k", "1", "--temperature", "2"], ["--context", "20"]):
            self.assertEqual(self.answer("the feed", "--max-tokens", "12", *arguments)["ids"], found["ids"])
        self.assertEqual(self.answer("-", "--max-tokens", "12", input="the feed")["ids"], found["ids"])
        plain = ffn("run", self.model, "the feed", "--max-tokens", "12")
        self.assertEqual(plain.stdout, found["text"] + "\n")
        self.assertIn("12 written", plain.stderr)

    def test_draws_follow_the_seed(self):
        def drawn(seed):
            return self.answer("the feed", "--max-tokens", "24", "--temperature", "1.5", "--seed", seed)["ids"]

        self.assertEqual(drawn(1), drawn(1))
        self.assertNotEqual(drawn(1), drawn(2))

    def test_a_full_cache_ends_the_answer(self):
        found = self.answer("the feed", "--max-tokens", "100", "--context", "16")
        self.assertEqual((found["end"], found["prompt_tokens"]), ("context", 8))

    def test_what_cannot_be_is_refused_in_one_line(self):
        text = f"text:{self.folder / 'text.txt'}"
        for arguments, code, part in (
                (("run", self.model, "x" * 40), 2, "40"),
                (("run", self.model, "hi", "--context", "4000"), 2, "4000"),
                (("run", self.model, "hi", "--memory", "10K"), 4, "--memory"),
                (("run", self.model, "hi", "--memory", "much"), 2, "much"),
                (("run", self.model, "hi", "--system", "be brief"), 2, "--system"),
                (("eval", self.model, "--data", text, "--split", "test"), 2, "[--split] cannot go with"),
                (("eval", self.model, "--data", "fashion-mnist"), 2, "is no text"),
                (("eval", self.model, "--data", text + ".no"), 3, "text.txt.no")):
            done = ffn(*arguments)
            self.assertEqual(done.returncode, code, (arguments, done.stderr))
            self.assertIn(part, done.stderr)
            self.assertEqual(done.stdout, "")
            self.assertLessEqual(len(done.stderr.strip().splitlines()), 2, done.stderr)

    def test_a_text_is_scored_byte_by_byte(self):
        def score(*arguments):
            done = ffn("eval", self.model, "--data", f"text:{self.folder / 'text.txt'}", "--bytes", "4000", "-o",
                       "json", *arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout)["rows"][0]

        row = score()
        # One token is one byte, and the first has nothing before it.
        self.assertEqual((row["bytes"], row["tokens"]), (4000, 3999))
        self.assertAlmostEqual(row["bits_per_byte"] * 4000 / 3999, math.log2(row["perplexity"]), places=5)
        self.assertLess(row["perplexity"], 16)  # 256 knows nothing
        # Every byte once, however far the windows move; it sees more or fewer before it.
        near = score("--stride", "4")
        self.assertEqual(near["tokens"], 3999)
        self.assertNotEqual(near["perplexity"], row["perplexity"])
        self.assertAlmostEqual(near["perplexity"], row["perplexity"], delta=0.1 * row["perplexity"])



if __name__ == "__main__":
    unittest.main()
