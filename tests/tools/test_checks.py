#!/usr/bin/env python3
"""Each rule of tools/check_layering and tools/check_isa_symbols, broken once, must be reported, and so must a
case that executes more than tools/count_instructions allows."""
import importlib.machinery
import importlib.util
import pathlib
import subprocess
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, str(TOOLS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


layering = load("check_layering")
isa_symbols = load("check_isa_symbols")
instructions = load("count_instructions")


class Layering(unittest.TestCase):
    def findings(self, name, text):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            return layering.check_file(root, path)

    def assert_found(self, name, text):
        self.assertEqual(len(self.findings(name, text)), 1, self.findings(name, text))

    def assert_clean(self, name, text):
        self.assertEqual(self.findings(name, text), [])

    def test_order_of_folders(self):
        self.assert_clean("src/ffn/ops/a.cpp", '#include "ffn/autograd/tape.h"\n#include <span>\n')
        self.assert_clean("src/ffn/ops/fused/a.cpp", '#include "ffn/ops/linear.h"\n')
        self.assert_clean("apps/ffn/main.cpp", '#include "ffn/judge/card.h"\n')
        self.assert_found("src/ffn/tensor/a.cpp", '#include "ffn/autograd/tape.h"\n')
        self.assert_found("src/ffn/judge/a.cpp", '  #  include "ffn/compare/a.h"\n')
        self.assert_found("src/ffn/kernels/a.cpp", '#include "ffn/io/json.h"\n')
        self.assert_found("src/ffn/io/a.cpp", '#include "ffn/kernels/table.h"\n')

    def test_backends_are_private(self):
        self.assert_clean("src/ffn/kernels/cpu/a.cpp", '#include "ffn/kernels/cpu/vector.h"\n')
        self.assert_clean("src/ffn/kernels/table.cpp", '#include "ffn/kernels/cpu/tables.h"\n')
        self.assert_found("src/ffn/kernels/cpu/a.cpp", '#include "ffn/kernels/reference/access.h"\n')
        self.assert_found("src/ffn/ops/a.cpp", '#include "ffn/kernels/cpu/vector.h"\n')
        self.assert_clean("src/ffn/bench/a.cpp", '#include "ffn/kernels/cpu/vec.h"\n')
        self.assert_found("src/ffn/bench/a.cpp", '#include "ffn/kernels/cpu/loops.h"\n')
        self.assert_found("src/ffn/ops/a.cpp", '#include "ffn/kernels/cpu/vec.h"\n')

    def test_unknown_places(self):
        self.assert_found("src/ffn/utils/a.cpp", "int a;\n")
        self.assert_found("src/ffn/ops/a.cpp", '#include "ffn/utils/a.h"\n')

    def test_form_of_includes(self):
        self.assert_found("src/ffn/ops/a.cpp", '#include "../tensor/tensor.h"\n')
        self.assert_found("src/ffn/ops/a.cpp", "#include <ffn/tensor/tensor.h>\n")

    def test_pragma_once(self):
        self.assert_clean("src/ffn/base/a.h", "// A comment.\n\n#pragma once\n")
        self.assert_found("tests/a.h", "#include <span>\n#pragma once\n")

    def test_length(self):
        self.assert_clean("tests/a.cpp", "\n" * 450)
        self.assert_found("tests/a.cpp", "\n" * 451)

    def test_addresses_and_paths(self):
        self.assert_clean("docs/a.md", "https://arxiv.org/abs/2002.05202 /usr/share/x and/or/work/y\n")
        self.assert_found("docs/a.md", "see https:/" + "/packages.example/simple\n")
        self.assert_found("docs/a.md", "in /" + "work/main\n")


class IsaSymbols(unittest.TestCase):
    def problems(self, check, source):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            (path / "a.cpp").write_text(source)
            subprocess.run(["g++", "-std=c++20", "-O0", "-c", "a.cpp"], cwd=path, check=True)
            subprocess.run(["ar", "rcs", "a.a", "a.o"], cwd=path, check=True)
            return check(path / ("a.o" if check is isa_symbols.check_isa_object else "a.a"))

    FILL = "namespace ffn { inline namespace v0 { namespace kernels { void fill_norm_avx2(int&) {} } } }"

    def test_isa_object(self):
        check = isa_symbols.check_isa_object
        self.assertEqual(self.problems(check, self.FILL + " static int f() { return 1; }"), [])
        self.assertNotEqual(self.problems(check, "static int f() { return 1; } int g() { return f(); }"), [])
        self.assertNotEqual(self.problems(check, self.FILL + " namespace ffn { void fill_b() {} }"), [])
        weak = " inline int f() { return 1; } namespace { int (*p)() = f; }"
        self.assertEqual(len(self.problems(check, self.FILL + weak)), 1)

    def test_library(self):
        check = isa_symbols.check_library
        ours = """
            #include <vector>
            namespace ffn::inline v0 {
            struct A { virtual ~A(); virtual int f() const; };
            struct B { virtual ~B(); virtual int g() const; };
            struct C : A, B { ~C() override; int f() const override; int g() const override; };
            A::~A() {} B::~B() {} C::~C() {}
            int A::f() const { return 1; } int B::g() const { return 1; }
            int C::f() const { return 2; } int C::g() const { return 2; }
            int h(std::vector<int>& v) { static std::vector<int> w(3); v.push_back(1); return w[0]; }
            }"""
        self.assertEqual(self.problems(check, ours), [])
        self.assertEqual(len(self.problems(check, ours + " int leaked() { return 1; }")), 1)
        self.assertEqual(len(self.problems(check, ours + ' extern "C" int ffn_c() { return 1; }')), 1)


class Instructions(unittest.TestCase):
    def verdicts(self, counted, recorded):
        return [passed for _, passed in instructions.compare(counted, recorded)]

    def test_two_per_cent_either_way_are_noise(self):
        self.assertEqual(self.verdicts({"a": 1019, "b": 981}, {"a": 1000, "b": 1000}), [True, True])
        self.assertEqual(self.verdicts({"a": 1021, "b": 979}, {"a": 1000, "b": 1000}), [False, False])

    def test_a_case_on_one_side_only_fails(self):
        self.assertEqual(self.verdicts({"a": 1000}, {}), [False])
        self.assertEqual(self.verdicts({}, {"a": 1000}), [False])

    def test_totals_of_a_dump(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "out.1"
            path.write_text("events: Ir\nfn=(1) f\n10 20\ntotals: 12345\n")
            self.assertEqual(instructions.executed(path), 12345)


if __name__ == "__main__":
    unittest.main()
