// Suites of cases: files bench/cases/<suite>.json, which the library carries with it, or one's own.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/bench/bench_case.h"

namespace ffn::inline v0 {

struct BenchSuite {
  std::string name, about;
  std::vector<BenchCase> cases;
};

// The text of a suite:
//
//   {"schema": 1, "suite": "…", "about": "…", "cases": [CASE, …]}
//   CASE = {"kind": "product", "name": "…", "form": "nt", "m": 8, "n": 1536, "k": 576,
//           "dtype": "f32", "b": "q8_0", "c": "f32", "prepared": true}  (or "bits": 8, "group": 32,
//           "cold": true)
//        | {"kind": "layer", "name": "…", "design": "glu(silu)", "width": 576, "rows": 512,
//           "tokens": 64, "grid": [8, 8, 0], "causal": false, "bias": false, "dtype": "bf16",
//           "pass": "backward", "memory": "recompute", "routing": "zipf", "cold": true}  (or
//           "forward" and "prepared": true)
//        | {"kind": "train", "name": "…", "model": "deit-tiny", "design": "mlp(gelu)",
//           "image": 32, "patch": 4, "classes": 100, or "vocabulary": 256, "context": 256,
//           "batch": 128, "dtype": "f32", "memory": "store"}
//
// Needed are kind and name; form, m, n, k; design, width, rows; model, design, batch and the data's
// sizes. Where `m`, `rows`, `batch`, `design`, `dtype`, `pass`, `memory` or `routing` is an array,
// every element makes a case of its own, whose name goes on with it: "smollm2/n8/bf16". An unknown
// key is an error. Errors: Error{io} naming `where` and the key.
BenchSuite parse_suite(std::string_view text, std::string_view where);
// Of a file. Errors: also io of reading it.
BenchSuite read_suite(const std::string& path);

struct EmbeddedSuite {
  std::string_view name, text;
};
// The files of bench/cases when the library was configured, by name.
std::span<const EmbeddedSuite> embedded_suites();
// One of them. Throws Error{config} for another name: "unknown suite 'fnn', did you mean 'ffn'?"
BenchSuite embedded_suite(std::string_view name);

// The cases of all suites whose "suite/name" holds `only`; empty: every case. Throws Error{config}
// when there is none.
std::vector<BenchCase> select_cases(std::span<const BenchSuite> suites, std::string_view only);

}  // namespace ffn::inline v0
