#!/usr/bin/env python3
"""The parts of tools/peers that need no PyTorch: cases, designs, ratios, tables, what is said of missing peers."""
import csv
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "peers"))
import bench_cases  # noqa: E402
import compare_peers  # noqa: E402
import ratio_report  # noqa: E402
import ratios  # noqa: E402


class Cases(unittest.TestCase):
    def cases(self, *cases, schema=1):
        return bench_cases.suite_cases(json.dumps({"schema": schema, "suite": "s", "about": "", "cases": cases}), "t")

    def test_lists_expand_in_the_order_of_ffn(self):
        keys = [c["key"] for c in self.cases({"kind": "layer", "name": "a", "design": ["mlp(relu)", "glu(silu)"],
                                              "width": 8, "dtype": ["f32", "bf16"], "rows": [1, 2]})]
        self.assertEqual(keys[:3], ["s/a/mlp(relu)/n1/f32", "s/a/mlp(relu)/n1/bf16", "s/a/mlp(relu)/n2/f32"])
        self.assertEqual((len(keys), keys[-1]), (8, "s/a/glu(silu)/n2/bf16"))

    def test_defaults(self):
        product, layer = self.cases({"kind": "product", "name": "p", "form": "nt", "m": [3], "n": 1, "k": 1,
                                     "dtype": "bf16"},
                                    {"kind": "layer", "name": "l", "design": "mlp(relu)", "width": 8, "rows": 4})
        self.assertEqual((product["key"], product["m"], product["b"], product["c"]), ("s/p/m3", 3, "bf16", "bf16"))
        self.assertEqual((layer["pass"], layer["memory"], layer["cold"]), ("forward", "store", False))

    def test_other_files_are_refused(self):
        with self.assertRaises(bench_cases.CaseError):
            self.cases(schema=2)
        with self.assertRaises(bench_cases.CaseError):
            self.cases({"kind": "lyaer", "name": "a"})

    def test_every_suite_of_the_project_expands_to_unique_names(self):
        for path in (ROOT / "bench" / "cases").glob("*.json"):
            keys = [case["key"] for case in bench_cases.suite_cases(path.read_text(), path.name)]
            self.assertEqual(len(keys), len(set(keys)))
            self.assertTrue(all(key.startswith(path.stem + "/") for key in keys))


class Designs(unittest.TestCase):
    def test_text(self):
        design = bench_cases.Design("deepseek-moe(64, glu(silu, hidden=256), top=6, shared=2)")
        self.assertEqual((design.name, design.words, design.options), ("deepseek-moe", ["64"],
                                                                       {"top": "6", "shared": "2"}))
        self.assertEqual((design.inner.name, design.inner.words, design.inner.hidden(576)), ("glu", ["silu"], 256))
        with self.assertRaises(bench_cases.CaseError):
            bench_cases.Design("mlp(relu")

    def test_hidden_widths_of_the_documents(self):
        for text, width, hidden in (("mlp(gelu)", 192, 768), ("mlp(gelu, x1.5)", 5, 8), ("glu(silu)", 192, 512),
                                    ("glu(silu, multiple=256)", 4096, 11008), ("glu(gelu_tanh, x3)", 100, 300)):
            self.assertEqual(bench_cases.Design(text).hidden(width), hidden, text)


class Ratios(unittest.TestCase):
    def rounds(self, median, spread, seed):
        stream = random.Random(seed)
        return [[median * (1 + spread * stream.uniform(-1, 1)) for _ in range(30)] for _ in range(5)]

    def test_equal_samples_have_no_width(self):
        self.assertEqual(ratios.ratio_interval([[2.0] * 3] * 2, [[3.0] * 3] * 2), (1.5, 1.5, 1.5))

    def test_the_interval_holds_the_true_ratio_and_narrows_with_the_spread(self):
        widths = []
        for spread in (0.2, 0.02):
            ratio, low, high = ratios.ratio_interval(self.rounds(1, spread, 1), self.rounds(1.2, spread, 2), 300)
            self.assertTrue(low < 1.2 < high and low < ratio < high)
            widths.append(high - low)
        self.assertLess(widths[1], widths[0] / 5)

    def test_rounds_that_are_slow_for_both_do_not_widen_it(self):
        def slowed(rounds):
            return [[ms * (4 if r % 2 else 1) for ms in samples] for r, samples in enumerate(rounds)]

        together = ratios.ratio_interval(slowed(self.rounds(1, 0.01, 1)), slowed(self.rounds(1, 0.01, 2)), 300)
        self.assertLess(together[2] - together[1], 0.1)

    def test_summaries_take_the_best_peer(self):
        def case(suite, *peers):
            return {"suite": suite, "peers": [dict(zip(("peer", "ms", "ratio", "low", "high"), p)) for p in peers]}

        found = ratios.summaries([case("a", ("x", 2.0, 2.0, 1.9, 2.1), ("y", 4.0, 4.0, 3.9, 4.1)),
                                  case("a", ("x", 0.5, 0.5, 0.4, 0.96)),
                                  case("a", ("x", 0.9, 0.95, 0.9, 0.98)),
                                  case("b", ("x", None, None, None, None))])
        self.assertEqual([(s["suite"], s["cases"], s["lost"]) for s in found], [("a", 3, 1)])
        self.assertAlmostEqual(found[0]["ratio_to_best"], 0.95 ** (1 / 3))


RESULT = {
    "machine": {"cpu": "some CPU", "isa": "avx2"}, "threads": 1, "rounds": 5, "seed": 7, "notes": ["a note"],
    "peers": [{"peer": "torch-eager", "version": "torch 2", "skipped": None},
              {"peer": "onednn", "version": "oneDNN 3", "skipped": None},
              {"peer": "openblas", "version": "", "skipped": "not installed"}],
    "cases": [{"case": "ffn/a", "suite": "ffn", "ms": 1.5, "bytes": 3 << 20, "verified": "all", "error": None,
               "peers": [
        {"peer": "torch-eager", "skipped": None, "how": None, "ms": 3.0, "ratio": 2.0, "low": 1.9, "high": 2.125},
        {"peer": "onednn", "skipped": "no bf16, on this", "how": None}]}],
    "suites": [{"suite": "ffn", "cases": 1, "ratio_to_best": 2.0, "lost": 0}],
}


class Report(unittest.TestCase):
    def test_markdown(self):
        text = ratio_report.markdown(RESULT)
        self.assertIn("| ffn/a | 1.5 | 3 | **2.00 [1.90, 2.12]** | – | – |\n", text)
        self.assertIn("| ffn | 1 | 2.00 | 0 |", text)
        self.assertIn("- openblas: skipped: not installed\n", text)
        self.assertIn("- onednn: skipped: no bf16, on this: ffn/a\n", text)
        self.assertIn("\na note\n", text)
        self.assertNotIn("MiB", text)

    def test_markdown_with_memory(self):
        result = json.loads(json.dumps(RESULT))
        result["cases"][0]["peers"][0]["bytes"] = 9 << 20
        text = ratio_report.markdown(result)
        self.assertIn("| ffn/a | 1.5 | 3.0 | 3 | **2.00 [1.90, 2.12]** | 9.0 | – | – | – |\n", text)

    def test_csv_and_json(self):
        rows = list(csv.DictReader(io.StringIO(ratio_report.comma_separated(RESULT))))
        self.assertEqual((rows[0]["peer"], rows[0]["ratio"], rows[1]["skipped"]),
                         ("torch-eager", "2.0", "no bf16, on this"))
        self.assertEqual(json.loads(ratio_report.as_json(RESULT)), {"schema": 1} | RESULT)


class Alternation(unittest.TestCase):
    class Program:
        def __init__(self, name, asked, answer):
            self.name, self.asked, self.answer = name, asked, answer

        def ask(self, request):
            self.asked.append(self.name)
            return dict(self.answer)

    def measured(self, mine, *theirs):
        asked = []
        peers = [self.Program(f"peer{i}", asked, answer) for i, answer in enumerate(theirs)]
        result = compare_peers.measured_case({"key": "s/a", "suite": "s"}, self.Program("ffn", asked, mine), peers, 3)
        return asked, result

    def test_programs_take_turns_after_one_preparation_each(self):
        asked, result = self.measured({"ms": [1.0]}, {"ms": [2.0]}, {"skipped": "no"})
        self.assertEqual(asked, ["peer0", "peer1", "ffn"] + ["ffn", "peer0"] * 3)
        self.assertEqual([p.get("ratio") for p in result["peers"]], [2.0, None])
        self.assertEqual(result["peers"][1]["skipped"], "no")

    def test_without_a_peer_nothing_is_measured(self):
        asked, result = self.measured({"ms": [1.0]}, {"skipped": "no"})
        self.assertEqual((asked, result["ms"], result["error"]), (["peer0"], None, None))

    def test_an_error_of_ours_leaves_no_ratio(self):
        _, result = self.measured({"error": "wrong"}, {"ms": [2.0]})
        self.assertEqual((result["error"], result["ms"], result["peers"][0].get("ratio")), ("wrong", None, None))

    def test_a_process_that_dies_is_a_reason(self):
        child = compare_peers.Child([sys.executable, "-c", "input(); raise SystemExit(3)"])
        with self.assertRaisesRegex(compare_peers.Ended, "code 3"):
            child.ask("x")
        child.process.stdin.close()
        child.process.stdout.close()


class WithoutTorch(unittest.TestCase):
    def test_a_peer_that_is_not_installed_says_so(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "torch.py").write_text("raise ImportError('none here')\n")
            program = ROOT / "tools" / "peers" / "measure_peer.py"
            done = subprocess.run([sys.executable, program, "torch-eager", "1", "1"],
                                  env={"PYTHONPATH": folder}, stdout=subprocess.PIPE, text=True)
        self.assertEqual(json.loads(done.stdout), {"skipped": "not installed: none here"})


if __name__ == "__main__":
    unittest.main()
