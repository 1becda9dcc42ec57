// Activations, arithmetic, dropout, jitter.
#include <cmath>

#include "ffn/base/philox.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/dropout.h"
#include "ffn/ops/jitter.h"
#include "support/op_case_builder.h"

namespace ffn::test {
namespace {

// Up to ±6 and never closer than 0.05 to the kinks at 0 and ±3.
std::vector<double> activation_values(std::string_view name, const Shape& shape) {
  const RandomStream stream(11, name);
  std::vector<double> values;
  for (std::int64_t i = 0; i < shape.count(); ++i) {
    const auto element = static_cast<std::uint64_t>(i);
    float magnitude = 0.1f + 5.9f * stream.uniform(0, element);
    if (std::abs(magnitude - 3.0f) < 0.05f) magnitude += 0.125f;
    values.push_back(
        static_cast<double>((stream.word(1, element) & 1u) != 0 ? -magnitude : magnitude));
  }
  return values;
}

void add_activations(std::vector<OpCase>& cases) {
  for (const Activation kind :
       {Activation::relu, Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu,
        Activation::silu, Activation::swish, Activation::relu2, Activation::sigmoid,
        Activation::tanh, Activation::hardswish, Activation::hardsigmoid}) {
    for (const Shape& shape : {Shape{1, 1}, Shape{3, 7}, Shape{2, 16}, Shape{3, 33}, Shape{0, 8}}) {
      const std::string op(to_string(kind));
      OpCase added{op,
                   sizes({shape.rows(), shape.cols()}),
                   {{"x", InputKind::number, shape, true,
                     activation_values(op + sizes({shape.rows(), shape.cols()}), shape)}},
                   [kind](CaseRun& c) {
                     const float beta = kind == Activation::swish ? 1.5f : 1.0f;
                     return activation(c.ex, std::move(c.in[0]), kind, beta);
                   }};
      // The argument of the exponential or of erf is as large as |x| ≤ 6, its error grows with it;
      // relu2 and hardswish square numbers as large. For one element the result may be smaller
      // than the numbers it is made of: σ(−6)·6 = 0.015 from 6.
      added.accuracy = Accuracy::function;
      added.units = shape.count() == 1 ? 64 : 4;
      add_case(cases, std::move(added));
    }
  }
}

Value run_multiply(CaseRun& c) { return multiply(c.ex, std::move(c.in[0]), std::move(c.in[1])); }
Value run_add(CaseRun& c) { return add(c.ex, std::move(c.in[0]), std::move(c.in[1])); }

void add_binary(std::vector<OpCase>& cases) {
  for (const Shape& shape : {Shape{1, 1}, Shape{3, 7}, Shape{2, 3, 8}, Shape{5, 17}, Shape{0, 9}}) {
    const std::string name = sizes({shape.rows(), shape.cols()});
    add_case(cases, {"multiply", name, {number("a", shape), number("b", shape)}, run_multiply});
    add_case(cases, {"add", name, {number("a", shape), number("b", shape)}, run_add});
  }
  const CaseInput a = number("a", {3, 15}), b = number("b", {3, 15});
  add_case(cases, {"multiply", "only_a", {a, without_gradient(b)}, run_multiply});
  add_case(cases, {"multiply", "only_b", {without_gradient(a), b}, run_multiply});
  OpCase square{
      "multiply", "with_itself", {a}, [](CaseRun& c) { return multiply(c.ex, c.in[0], c.in[0]); }};
  square.bf16_inside = 1;  // two gradients are rounded, then added
  add_case(cases, std::move(square));
  add_case(cases, {"add", "only_a", {a, without_gradient(b)}, run_add});
  add_case(cases, {"add", "only_b", {without_gradient(a), b}, run_add});
  add_case(cases,
           {"add", "with_itself", {a}, [](CaseRun& c) { return add(c.ex, c.in[0], c.in[0]); }});
  add_case(cases, {"add", "bias", {number("a", {5, 9}), number("b", {9})}, run_add});
  add_case(cases, {"add", "table", {number("a", {4, 3, 8}), number("b", {3, 8})}, run_add});
  add_case(
      cases,
      {"add", "only_bias", {without_gradient(number("a", {17, 7})), number("b", {7})}, run_add});
  add_case(cases, {"add", "bias_of_no_rows", {number("a", {0, 5}), number("b", {5})}, run_add});
}

void add_unary(std::vector<OpCase>& cases) {
  for (const Shape& shape : {Shape{1, 1}, Shape{3, 7}, Shape{2, 33}, Shape{0, 4}}) {
    const std::string name = sizes({shape.rows(), shape.cols()});
    add_case(cases, {"scale", name, {number("x", shape)}, [](CaseRun& c) {
                       return scale(c.ex, std::move(c.in[0]), -0.75f);
                     }});
    // f32 and f64 to bf16, bf16 to f32.
    OpCase conversion{"cast", name, {number("x", shape)}, [](CaseRun& c) {
                        const bool narrow = c.in[0].dtype() == DType::bf16;
                        return cast(c.ex, std::move(c.in[0]), narrow ? DType::f32 : DType::bf16);
                      }};
    conversion.complex_step = false;
    add_case(cases, std::move(conversion));
    add_case(cases, {"dropout", name, {number("x", shape)}, [](CaseRun& c) {
                       return dropout(c.ex, std::move(c.in[0]), 0.375f, RandomStream(3, "dropout"));
                     }});
    add_case(cases, {"jitter", name, {number("x", shape)}, [](CaseRun& c) {
                       return jitter(c.ex, std::move(c.in[0]), 0.25f, RandomStream(3, "jitter"));
                     }});
  }
}

}  // namespace

void add_pointwise_cases(std::vector<OpCase>& cases) {
  add_activations(cases);
  add_binary(cases);
  add_unary(cases);
}

}  // namespace ffn::test
