#!/usr/bin/env python3
"""`ffn compare` as a user meets it: usage test_compare.py [BUILD] (default build/release).

The same comparison twice gives the same numbers, times apart; so does one that was killed half-way and
started again; finished runs are never repeated; a design given twice ties with itself exactly; unequal
budgets are refused or shown. Data: CIFAR-100 files with made-up pictures.
"""
import csv
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from test_cli import ffn, FFN, make_data  # noqa: E402  (reads the BUILD argument)

DESIGNS = ["mlp(gelu)", "glu(silu)", "gelu"]
RECIPE = ["--model", "vit-pico", "--patch", "8", "--batch", "16", "--epochs", "2", "--steps", "40",
          "--eval-steps", "10", "--seeds", "2", "--lr", "3e-3"]
# What a clock or the memory of a process decides.
MEASURED = ("step_ms", "images_per_s", "inference_images_per_s", "train_process_peak_bytes",
            "inference_process_peak_bytes")


class Compare(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="ffn_compare_"))
        cls.data = cls.folder / "data"
        cls.data.mkdir()
        make_data(cls.data)
        cls.out = cls.folder / "first"
        cls.first = cls.compare("--out", cls.out)
        assert cls.first.returncode == 0, cls.first.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def arguments(cls, *more, designs=DESIGNS):
        named = [word for design in designs for word in ("--ffn", design)]
        return ["compare", "--data", cls.data, *RECIPE, *named, *more]

    @classmethod
    def compare(cls, *more, designs=DESIGNS):
        return ffn(*cls.arguments(*more, designs=designs))

    def rows(self, out, but=()):
        with open(out / "designs.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            for key in (*MEASURED, *but):
                self.assertGreater(float(row.pop(key)), 0, key)
        return rows

    def assert_same_numbers(self, out, but=()):
        self.assertEqual(self.rows(out, but), self.rows(self.out, but))
        self.assertEqual((out / "pairs.csv").read_text(), (self.out / "pairs.csv").read_text())

    def test_again_elsewhere_and_two_at_a_time(self):
        out = self.folder / "again"
        done = self.compare("--out", out, "--jobs", "2", "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        # Each of two runs at a time has half the threads, and less scratch memory for them.
        self.assert_same_numbers(out, but=("train_peak_bytes", "inference_peak_bytes"))
        rows = json.loads(done.stdout)["rows"]
        self.assertEqual([row["design"] for row in rows], ["mlp(gelu)", "glu(silu)", "gelu"])
        self.assertIn("report.html", done.stderr)

    def test_killed_and_started_again(self):
        out = self.folder / "killed"
        stream = random.Random(3)
        for _ in range(4):
            process = subprocess.Popen([FFN, *map(str, self.arguments("--out", out))],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.2 + 0.8 * stream.random())
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.assertEqual(self.compare("--out", out).returncode, 0)
        self.assert_same_numbers(out)

    def test_interrupted_and_started_again(self):
        out = self.folder / "interrupted"
        process = subprocess.Popen([FFN, *map(str, self.arguments("--out", out))],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while not list(out.glob("runs/*/metrics.jsonl")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        printed, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, errors)
        self.assertIn("go on with the same command", errors)
        self.assertEqual(printed, "")
        self.assertFalse((out / "report.html").exists())
        self.assertEqual(self.compare("--out", out).returncode, 0)
        self.assert_same_numbers(out)

    def test_finished_runs_are_not_repeated(self):
        times = {path: path.stat().st_mtime_ns for path in self.out.glob("runs/*/*")}
        self.assertEqual(len(list(self.out.glob("runs/*"))), 4)  # `gelu` shares the runs of mlp(gelu)
        self.assertEqual(self.compare("--out", self.out).returncode, 0)
        self.assertEqual(times, {path: path.stat().st_mtime_ns for path in self.out.glob("runs/*/*")})

    def test_a_score_that_is_missing_is_made_without_training_again(self):
        out = self.folder / "unscored"
        shutil.copytree(self.out, out)
        run = next(out.glob("runs/glu*"))
        os.remove(run / "test.json")
        trained = (run / "result.json").stat().st_mtime_ns
        done = self.compare("--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((run / "result.json").stat().st_mtime_ns, trained)
        self.assertIn("[4/4]", done.stderr)
        self.assert_same_numbers(out)

    def test_a_design_given_twice_ties_exactly(self):
        with open(self.out / "pairs.csv", newline="") as file:
            pair = next(row for row in csv.DictReader(file)
                        if (row["first"], row["second"]) == ("mlp(gelu)", "gelu"))
        self.assertEqual((pair["outcome"], float(pair["difference_points"])), ("tie", 0.0))

    def test_the_training_never_reads_the_test_set(self):
        for run in self.out.glob("runs/*"):
            self.assertIsNone(json.loads((run / "result.json").read_text())["test"])
            self.assertIs(json.loads((run / "run.json").read_text())["read_test"], False)
            self.assertEqual(json.loads((run / "test.json").read_text())["score"]["count"], 60)

    def test_peaks_are_the_planned_ones(self):
        for row in self.rows(self.out):
            plan = json.loads(ffn("plan", "--model", "vit-pico", "--patch", "8", "--data", self.data,
                                  "--batch", "16", "--ffn", row["feed_forward"], "-o", "json").stdout)
            self.assertEqual(int(row["train_peak_bytes"]), plan["rows"][0]["peak_bytes"])
            self.assertEqual(int(row["inference_peak_bytes"]), plan["rows"][0]["inference_peak_bytes"])

    def test_the_report_stands_alone(self):
        page = (self.out / "report.html").read_text()
        for needed in (*DESIGNS, "these trained models only", "ffn compare"):
            self.assertIn(needed, page)
        for forbidden in ("<script", "src=", "http://", "https://", "@import", "url("):
            self.assertNotIn(forbidden, page.replace("http://www.w3.org/2000/svg", ""))
        self.assertTrue(list((self.out / "plots").glob("*.svg")))
        self.assertIn("mlp(gelu)", (self.out / "report.md").read_text())

    def test_rates_are_chosen_on_validation(self):
        out = self.folder / "grid"
        done = self.compare("--out", out, "--lr-grid", "3e-3,1e-7", designs=["mlp(gelu)", "glu(silu)"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual({float(row["learning_rate"]) for row in self.rows(out)}, {0.003})
        # Two designs × (two rates for the first seed + the chosen one for the second).
        runs = list(out.glob("runs/*"))
        self.assertEqual(len(runs), 6)
        self.assertEqual(sum((run / "test.json").exists() for run in runs), 4)

    def test_budgets_are_matched_or_refused_or_shown(self):
        out = self.folder / "matched"
        done = self.compare("--out", out, "--match", "params", "--match-to", "mlp(gelu, hidden=40)",
                            designs=["mlp(relu)", "dwconv(gelu)"])
        self.assertEqual(done.returncode, 0, done.stderr)
        for row in self.rows(out):
            self.assertAlmostEqual(float(row["match_ratio"]), 1, delta=0.05)
        refused = self.compare("--out", self.folder / "refused", "--match", "params", "--match-to",
                               "mlp(gelu, hidden=3)", designs=["dwconv(gelu, k=13)"])
        self.assertEqual(refused.returncode, 2)
        self.assertIn("no equal budget", refused.stderr)
        shown = self.rows(self.out)
        self.assertNotEqual(shown[0]["parameters"], shown[1]["parameters"])

    def test_a_run_that_fails_says_why_once(self):
        out = self.folder / "damaged"
        shutil.copytree(self.out, out)
        run = next(out.glob("runs/glu*"))
        for name in ("result.json", "test.json"):
            os.remove(run / name)
        for checkpoint in (run / "checkpoints").iterdir():
            os.truncate(checkpoint / "optimizer.safetensors", 100)
        failed = self.compare("--out", out)
        self.assertEqual(failed.returncode, 3, failed.stderr)
        lines = [line for line in failed.stderr.splitlines() if line.startswith("ffn: [")]
        self.assertEqual(len(lines), 1, failed.stderr)
        self.assertIn("optimizer.safetensors", lines[0])

    def test_experiments_have_parts_that_share_runs(self):
        file = self.folder / "sample.json"
        part = {"feed_forward": ["mlp(gelu)", "glu(silu)"]}
        scale = {"seeds": 1, "recipe": {"epochs": 2, "steps": 20}}
        file.write_text(json.dumps({
            "schema": 1, "question": "Which?", "claim": "None.", "model": "vit-pico", "patch": 8,
            "recipe": {"data": str(self.data), "batch": 16}, "base": scale, "full": scale,
            "parts": [{"name": "plain", **part}, {"name": "again", **part},
                      {"name": "shuffled", **part, "recipe": {"shuffle_patches": 8}}]}))
        out = self.folder / "experiment"
        done = ffn("compare", "--experiment", file, "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(list(out.glob("runs/*"))), 4)
        page = (out / "report.html").read_text()
        self.assertIn("Which?", page)
        for name in ("plain", "again", "shuffled"):
            self.assertTrue((out / name / "designs.csv").exists())
        refused = ffn("compare", "--experiment", file, "--out", out, "--lr", "1")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--lr", refused.stderr)


if __name__ == "__main__":
    unittest.main()
