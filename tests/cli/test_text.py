#!/usr/bin/env python3
"""Language models from the command line: usage test_text.py [BUILD] (default build/release).

A run on text that is killed ends with the bits of one that was not, for any number of threads; a comparison of
text is judged in bits per byte over documents; options that text would ignore, and files that are no text, are
refused in one line. Data: made-up sentences.
"""
import json
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


if __name__ == "__main__":
    unittest.main()
