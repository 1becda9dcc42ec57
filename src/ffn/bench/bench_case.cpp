#include "ffn/bench/bench_case.h"
#include "ffn/train/train_config.h"

namespace ffn::inline v0 {
namespace {

std::string_view form_name(kernels::ProductForm form) {
  switch (form) {
    case kernels::ProductForm::nt: return "nt";
    case kernels::ProductForm::nn: return "nn";
    case kernels::ProductForm::tn: return "tn";
  }
  return "";
}

std::string shape_of(const ProductCase& c) {
  return std::string(form_name(c.form)) + " " + std::to_string(c.m) + "×" + std::to_string(c.n) +
         "×" + std::to_string(c.k) + (c.prepared ? ", prepared" : "") +
         (c.bits > 0 ? ", groups of " + std::to_string(c.group) : "") + (c.cold ? ", cold" : "");
}
std::string shape_of(const LayerCase& c) {
  std::string text = c.design + " at " + std::to_string(c.width);
  if (c.routing != RoutingShares::none)
    text += c.routing == RoutingShares::zipf ? ", Zipf" : ", uniform";
  return text + (c.prepared ? ", prepared" : "") + (c.cold ? ", cold" : "");
}
std::string shape_of(const TrainCase& c) { return c.model + " with " + c.design; }

std::string dtype_of(const ProductCase& c) {
  if (c.bits > 0) return std::string(to_string(c.a)) + "·int" + std::to_string(c.bits);
  if (c.a == c.b && c.a == c.c) return std::string(to_string(c.a));
  return std::string(to_string(c.a)) + "·" + std::string(to_string(c.b)) + "→" +
         std::string(to_string(c.c));
}
std::string dtype_of(const LayerCase& c) { return std::string(to_string(c.dtype)); }
std::string dtype_of(const TrainCase& c) { return std::string(to_string(c.dtype)); }

std::string with_memory(std::string pass, MemoryMode memory) {
  if (memory == MemoryMode::store) return pass;
  return pass.append(", ").append(to_string(memory));
}
std::string pass_of(const ProductCase&) { return ""; }
std::string pass_of(const LayerCase& c) {
  return with_memory(std::string(to_string(c.pass)), c.memory);
}
std::string pass_of(const TrainCase& c) { return with_memory("step", c.memory); }

std::int64_t rows(const ProductCase& c) { return c.m; }
std::int64_t rows(const LayerCase& c) { return c.rows; }
std::int64_t rows(const TrainCase& c) { return c.batch; }

DType arithmetic(const ProductCase& c) {
  // Rows of bf16 meet the bf16 instruction only where both sides are bf16.
  if (c.bits > 0) return DType::i8;
  return c.a == DType::bf16 && c.b == DType::bf16 ? DType::bf16 : DType::f32;
}
DType arithmetic(const LayerCase& c) { return c.dtype; }
DType arithmetic(const TrainCase& c) { return c.dtype; }

}  // namespace

std::string_view to_string(Pass pass) { return pass == Pass::forward ? "forward" : "backward"; }

std::string_view kind_of(const BenchCase& c) {
  constexpr std::string_view kKinds[] = {"product", "layer", "train"};
  return kKinds[c.work.index()];
}
std::string shape_text(const BenchCase& c) {
  return std::visit([](const auto& work) { return shape_of(work); }, c.work);
}
std::int64_t rows_of(const BenchCase& c) {
  return std::visit([](const auto& work) { return rows(work); }, c.work);
}
std::string dtype_text(const BenchCase& c) {
  return std::visit([](const auto& work) { return dtype_of(work); }, c.work);
}
std::string pass_text(const BenchCase& c) {
  return std::visit([](const auto& work) { return pass_of(work); }, c.work);
}
DType arithmetic_dtype(const BenchCase& c) {
  return std::visit([](const auto& work) { return arithmetic(work); }, c.work);
}

}  // namespace ffn::inline v0
