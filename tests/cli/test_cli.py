#!/usr/bin/env python3
"""The command as a user meets it: usage test_cli.py [BUILD] (default build/release).

Wrong input gives one clear line and its exit code; a run that is killed at random moments ends with the
same bits as one that was not; so does one with another number of threads; Ctrl-C saves; a full disk and
damaged checkpoints lose nothing. Data: CIFAR-100 files with made-up pictures.
"""
import json
import os
import pathlib
import random
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else ROOT / "build" / "release"
FFN = str((BUILD if BUILD.is_absolute() else ROOT / BUILD) / "ffn")
KILLS = 10
# Small enough that a run takes seconds, with all that could break resuming: augmentation, drop path.
TRAIN = ["--model", "vit-nano", "--ffn", "glu(silu, hidden=32)", "--batch", "16", "--epochs", "3",
         "--steps", "60", "--warmup-epochs", "0.5", "--checkpoint-steps", "3", "--augment",
         "--drop-path", "0.1", "--seed", "7"]


def make_data(folder):
    """train.bin and test.bin in CIFAR-100's format: label-coloured noise."""
    stream = random.Random(1)
    for name, count in (("train.bin", 600), ("test.bin", 60)):
        with open(folder / name, "wb") as file:
            for _ in range(count):
                label = stream.randrange(100)
                pixels = bytes((2 * label + stream.randrange(40)) % 256 for _ in range(3072))
                file.write(bytes([label // 5, label]) + pixels)


def ffn(*arguments, **options):
    return subprocess.run([FFN, *map(str, arguments)], capture_output=True, text=True,
                          check=False, timeout=300, **options)


class Cli(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="ffn_cli_"))
        cls.data = cls.folder / "data"
        cls.data.mkdir()
        make_data(cls.data)
        cls.run_folder = cls.folder / "uninterrupted"
        done = cls.train("--out", cls.run_folder)
        assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def train(cls, *arguments, **options):
        recipe = [] if "--resume" in arguments else [*TRAIN, "--data", cls.data]
        return ffn("train", *recipe, *arguments, **options)

    def assert_same_end(self, run):
        for name in ("model/model.safetensors", "metrics.jsonl", "result.json"):
            self.assertEqual((run / name).read_bytes(), (self.run_folder / name).read_bytes(), name)

    def test_errors(self):
        blocks = re.findall(r"^\$ ffn ?(.*)\n(\d) (.*)$", (HERE / "errors.txt").read_text(), re.M)
        self.assertGreater(len(blocks), 20)
        for command, code, part in blocks:
            with self.subTest(command=command):
                tmp = self.folder / "tmp"
                shutil.rmtree(tmp, ignore_errors=True)
                tmp.mkdir()
                filled = command.format(data=self.data, run=self.run_folder, tmp=tmp)
                result = ffn(*shlex.split(filled.replace("(", "'('").replace(")", "')'")))
                lines = [line for line in result.stderr.splitlines() if "warning:" not in line]
                self.assertEqual(result.returncode, int(code), result.stderr)
                self.assertEqual(len(lines), 1, result.stderr)
                self.assertTrue(lines[0].startswith("ffn: "), lines[0])
                self.assertIn(part, lines[0])
                self.assertEqual(result.stdout, "")

    def test_help_shows_an_example(self):
        for verb in ("compare", "train", "eval", "embed", "plan", "inspect", "bench", "zoo", "data"):
            result = ffn(verb, "--help")
            self.assertEqual(result.returncode, 0)
            self.assertIn(f"ffn {verb}", result.stdout.split("Example:")[1])
            self.assertIn("--output", result.stdout)

    def test_plan_answers_in_each_form(self):
        arguments = ["plan", "--model", "deit-tiny", "--data", "cifar100", "--batch", "512",
                     "--ffn", "glu(silu)"]
        rows = json.loads(ffn(*arguments, "-o", "json").stdout)["rows"]
        self.assertEqual(rows[0]["design"], "glu(silu, hidden=512)")
        self.assertEqual(rows[0]["batch"], 512)
        self.assertGreater(rows[0]["peak_bytes"], 1 << 30)
        self.assertIn(f"{rows[0]['parameters']:,}", ffn(*arguments).stdout)
        self.assertIn(str(rows[0]["peak_bytes"]), ffn(*arguments, "-o", "csv").stdout)

    def test_inspect_lists_a_header(self):
        model = self.run_folder / "model"
        report = json.loads(ffn("inspect", model, "--header", "-o", "json").stdout)
        self.assertEqual(report["summary"][0]["format"], "safetensors")
        self.assertEqual(report["metadata"], [{"key": "format", "type": "text", "value": "pt"}])
        self.assertEqual(report["summary"][0]["tensors"], len(report["tensors"]))
        total = report["totals"][0]
        self.assertEqual((total["type"], total["computes_as"], total["tensors"]),
                         ("F32", "f32", len(report["tensors"])))
        self.assertEqual(total["bytes"], 4 * total["elements"])
        self.assertEqual(total["bytes"], sum(row["bytes"] for row in report["tensors"]))
        with open(model / "model.safetensors", "rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        for row in report["tensors"]:
            self.assertEqual(json.loads(row["shape"]), header[row["tensor"]]["shape"])
        lines = ffn("inspect", model / "model.safetensors", "--header", "-o", "csv").stdout.splitlines()
        self.assertEqual(lines[0], "tensor,type,shape,bytes")
        self.assertEqual(len(lines), 1 + len(report["tensors"]))

    def test_inspect_reads_every_format(self):
        gguf = ffn("inspect", ROOT / "tests/fixtures/library_sample.gguf", "--header")
        self.assertEqual(gguf.returncode, 0, gguf.stderr)
        for part in ("| Q4_K | q4_k        | 1 ", "| kind.string          | string   | Grüße", "[2, 3]",
                     "| I64  |             | 1 "):
            self.assertIn(part, gguf.stdout)
        folder = self.folder / "shards"
        folder.mkdir()
        for name in ("a", "b"):
            header = json.dumps({name: {"dtype": "F16", "shape": [3, 1], "data_offsets": [0, 6]}}).encode()
            content = len(header).to_bytes(8, "little") + header + bytes(6)
            (folder / f"{name}.safetensors").write_bytes(content)
        (folder / "model.safetensors.index.json").write_text(json.dumps(
            {"metadata": {"total_size": 12}, "weight_map": {"a": "a.safetensors", "b": "b.safetensors"}}))
        report = json.loads(ffn("inspect", folder, "--header", "-o", "json").stdout)
        self.assertEqual(report["summary"][0]["files"], 2)
        self.assertEqual([row["file"] for row in report["tensors"]], ["a.safetensors", "b.safetensors"])
        self.assertEqual(report["totals"], [{"type": "F16", "computes_as": "f16", "tensors": 2, "elements": 6,
                                             "bytes": 12}])

    def test_inspect_reads_no_weights(self):
        path = self.folder / "sparse.safetensors"
        size = 2 << 30
        header = json.dumps({"w": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}).encode()
        with open(path, "wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            file.truncate(8 + len(header) + size)
        # 50 MiB of resident memory: the limit that counts is watched by the system.
        children = subprocess.run(
            [sys.executable, "-c", "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
             "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)", FFN, "inspect", str(path),
             "--header", "-o", "csv"], capture_output=True, text=True, check=True)
        lines = children.stdout.splitlines()
        self.assertIn(str(size), lines[1])
        self.assertLess(int(lines[-1]), 50 * 1024)
        os.remove(path)

    def test_run_says_before_loading_what_experts_take(self):
        folder = self.folder / "mixtral"
        subprocess.run([sys.executable, ROOT / "tools/make_mixtral", folder, "--width", "64", "--layers", "2",
                        "--shards", "2"], capture_output=True, check=True)
        refused = ffn("run", folder, "hello", "--raw", "--max-tokens", "4", "--memory", "1M")
        self.assertEqual(refused.returncode, 4, refused.stderr)
        # Attention and two tables of bytes lie where they are; 2 layers of 8 experts are copied as bf16, 2
        # routers and 5 norms become f32.
        mapped = 2 * (2 * 4 * 64 * 64 + 2 * 256 * 64)
        copied = 2 * (2 * 8 * 3 * 224 * 64) + 4 * (2 * 8 * 64 + 5 * 64)
        self.assertIn(f"{mapped / 1024:g} KiB of weights in the file, {copied / 2**20:.4g} MiB of copied ones",
                      refused.stderr)
        ran = ffn("run", folder, "hello", "--raw", "--max-tokens", "4", "--memory", "2M", "-o", "json")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        needs = float(re.search(r"needs ([\d.]+) MiB", refused.stderr)[1]) * 2**20
        self.assertLessEqual(json.loads(ran.stdout)["peak_bytes"] + mapped, needs * 1.0005)

    def test_inspect_refuses_hostile_files_in_one_line(self):
        corpus = ROOT / "tests/fuzz/corpus"
        hostile = [*corpus.glob("gguf/*"), *corpus.glob("safetensors/*"), *corpus.glob("safetensors_index/*")]
        refused = 0
        for path in hostile:
            if path.parent.name == "safetensors_index":
                folder = self.folder / "index"
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                path = shutil.copy(path, folder / "model.safetensors.index.json")
            with self.subTest(path=path):
                done = ffn("inspect", path, "--header")
                if done.returncode == 0:
                    continue
                refused += 1
                self.assertEqual((done.returncode, done.stderr.count("\n"), done.stdout), (3, 1, ""), done.stderr)
        self.assertGreater(refused, 50)

    def test_bench_measures_and_compares(self):
        arguments = ["bench", "smoke", "--quick", "--threads", "2", "-o", "json"]
        first = ffn(*arguments)
        self.assertEqual(first.returncode, 0, first.stderr)
        report = json.loads(first.stdout)
        self.assertTrue(report["quick"])
        self.assertGreater(report["machine"]["all_threads"]["memory_gbps"], 0)
        self.assertEqual(len(report["cases"]), len(first.stderr.splitlines()))
        for case in report["cases"]:
            self.assertTrue(case["verified"], case["name"])
            self.assertGreater(case["share_of_peak"], 0, case["name"])
            self.assertEqual(case["predicted_bytes"], case["measured_bytes"], case["name"])
        # No run is beyond 10^6 times its time, and none takes a millionth of it.
        for factor, code in ((1e6, 0), (1e-6, 1)):
            old = json.loads(first.stdout)
            for case in old["cases"]:
                for field in ("p10_ms", "median_ms", "p90_ms"):
                    case[field] *= factor
            path = self.folder / "old.json"
            path.write_text(json.dumps(old))
            again = ffn(*arguments, "--only", "smoke/product", "--compare", path)
            self.assertEqual(again.returncode, code, again.stderr)
            verdicts = {row["verdict"] for row in json.loads(again.stdout)["comparison"]}
            self.assertEqual(verdicts, {"slower" if code else "faster"})

    def test_bench_answers_requests(self):
        keys = ["smoke/glu/forward", "smoke/glu/forward", "smoke/none", "smoke/product/f32"]
        command = [FFN, "bench", "smoke", "--on-request", "--threads", "1"]
        result = subprocess.run(command, input="\n".join(keys), capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        answers = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([answer["case"] for answer in answers], keys)
        self.assertIn("there is no case", answers.pop(2)["error"])
        for answer in answers:
            self.assertEqual(answer["threads"], 1)
            self.assertTrue(answer["verified"])
            self.assertGreaterEqual(len(answer["ms"]), 6)
            self.assertGreater(min(answer["ms"]), 0)
        refused = ffn("bench", "smoke", "--on-request", "--quick")
        self.assertEqual(refused.returncode, 2)

    def test_bench_lists_and_reads_cases_of_ones_own(self):
        rows = json.loads(ffn("bench", "--list", "-o", "json").stdout)["rows"]
        self.assertGreater(len(rows), 100)
        path = self.folder / "cases.json"
        path.write_text(json.dumps({"schema": 1, "suite": "mine", "about": "one", "cases": [
            {"kind": "layer", "name": "a", "design": ["mlp(relu)", "glu(silu)"], "width": 16,
             "rows": 4}]}))
        table = ffn("bench", "--cases", path, "--quick").stdout
        self.assertIn("mine/a/glu(silu)", table)
        self.assertIn("memory_gbps", table)
        path.write_text(path.read_text().replace('"width"', '"wdith"'))
        wrong = ffn("bench", "--cases", path)
        self.assertEqual(wrong.returncode, 3)
        self.assertIn("lacks the key 'cases[0].width'", wrong.stderr)

    def test_killed_runs_end_with_the_same_bits(self):
        run = self.folder / "killed"
        stream = random.Random(5)
        arguments = ["--out", run]
        for kill in range(KILLS):
            recipe = [] if "--resume" in arguments else [*TRAIN, "--data", self.data]
            process = subprocess.Popen([FFN, "train", *map(str, [*recipe, *arguments])],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.05 + 0.5 * stream.random())
            process.send_signal(signal.SIGKILL)
            process.wait()
            if (run / "run.json").exists():
                arguments = ["--resume", run]
        done = self.train(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_same_end(run)

    def test_one_thread_ends_with_the_same_bits(self):
        run = self.folder / "serial"
        done = self.train("--out", run, "--threads", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_same_end(run)

    def test_interrupt_saves_and_resumes(self):
        run = self.folder / "interrupted"
        process = subprocess.Popen([FFN, "train", *map(str, [*TRAIN, "--data", self.data, "--out", run])],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while not (run / "metrics.jsonl").exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 0, errors)
        self.assertIn("go on with: ffn train --resume", errors)
        self.assertFalse((run / "result.json").exists())
        self.assertEqual(self.train("--resume", run).returncode, 0)
        self.assert_same_end(run)

    def test_a_full_disk_is_one_line_and_loses_nothing(self):
        run = self.folder / "full"
        # Files of at most 256 KiB: run.json and metrics fit, a checkpoint does not.
        limit = lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                         resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, 1 << 18)))
        result = self.train("--out", run, preexec_fn=limit)
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn("File too large", result.stderr.splitlines()[-1])
        self.assertEqual(self.train("--resume", run).returncode, 0)
        self.assert_same_end(run)

    def test_a_damaged_checkpoint_gives_way_to_the_one_before(self):
        run = self.folder / "damaged"
        shutil.copytree(self.run_folder, run)
        newest = max((run / "checkpoints").iterdir())
        weights = bytearray((newest / "model.safetensors").read_bytes())
        weights[-1] ^= 1
        (newest / "model.safetensors").write_bytes(weights)
        result = self.train("--resume", run)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("warning:", result.stderr)
        self.assert_same_end(run)
        for checkpoint in (run / "checkpoints").iterdir():
            os.truncate(checkpoint / "optimizer.safetensors", 100)
        result = self.train("--resume", run)
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn("optimizer.safetensors", result.stderr.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
