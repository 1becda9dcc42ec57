#include "runners.h"

#include "ffn/base/error.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/attention.h"
#include "ffn/ops/batch_norm.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/grouped_linear.h"
#include "ffn/ops/indexing.h"
#include "ffn/ops/linear.h"
#include "ffn/ops/norm.h"
#include "ffn/ops/softmax.h"
#include "ffn/ops/tiny_network.h"
#include "ffn/ops/view.h"

namespace ffn::parity {
namespace {

float real(const CaseRun& run, const std::string& attribute) {
  return static_cast<float>(run.fixture.number(attribute));
}

template <Activation kKind>
Value run_activation(CaseRun& run) {
  return activation(run.ex, run.input("x"), kKind);
}

Value run_swish(CaseRun& run) { return swish(run.ex, run.input("x"), real(run, "beta")); }

// identity makes no node and so nothing to walk back from; scale by 1 does.
Value run_identity(CaseRun& run) { return scale(run.ex, identity(run.ex, run.input("x")), 1); }

Value run_linear(CaseRun& run) {
  return linear(run.ex, run.input("x"), run.input("weight"), run.input("bias"));
}

Value run_matmul(CaseRun& run) {
  const std::string& form = run.fixture.text("attr.form");
  check(form == "'nt'" || form == "'nn'" || form == "'tn'", ErrorKind::io, "fixture", "form ",
        form);
  return matmul(run.ex, run.input("a"), run.input("b"),
                form == "'nt'"   ? ProductForm::nt
                : form == "'nn'" ? ProductForm::nn
                                 : ProductForm::tn);
}

// y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ with W frozen (Hu et al. 2021).
Value run_lora(CaseRun& run) {
  Executor& ex = run.ex;
  const Value x = run.input("x");
  Value low = linear(ex, linear(ex, x, run.input("a")), run.input("b"));
  return add(ex, linear(ex, x, run.input("weight")), scale(ex, std::move(low), real(run, "scale")));
}

Value run_multiply(CaseRun& run) { return multiply(run.ex, run.input("a"), run.input("b")); }
Value run_add(CaseRun& run) { return add(run.ex, run.input("a"), run.input("b")); }
Value run_scale(CaseRun& run) { return scale(run.ex, run.input("x"), real(run, "alpha")); }
Value run_scale_rows(CaseRun& run) { return scale_rows(run.ex, run.input("x"), run.input("w")); }

Value run_views(CaseRun& run) {
  Executor& ex = run.ex;
  const std::int64_t widths[] = {4, 8, 4};
  Values parts = split_cols(ex, run.input("x"), widths);
  const Value both[] = {multiply(ex, parts[0], parts[2]), slice_cols(ex, parts[1], 2, 4)};
  return slice_rows(ex, reshape(ex, concat_cols(ex, both), {3, 16}), 1, 2);
}

Value run_layer_norm(CaseRun& run) {
  return layer_norm(run.ex, run.input("x"), run.input("weight"), run.input("bias"),
                    real(run, "eps"));
}

Value run_rms_norm(CaseRun& run) {
  return rms_norm(run.ex, run.input("x"), run.input("weight"), real(run, "eps"),
                  real(run, "weight_offset"));
}

Value run_batch_norm(CaseRun& run) {
  run.ex.set_training(run.fixture.flag("training"));
  return batch_norm(run.ex, run.input("x"), run.input("weight"), run.input("bias"),
                    run.state("running"), real(run, "eps"), real(run, "momentum"));
}

Value run_softmax(CaseRun& run) {
  SoftmaxOptions options;
  options.scale = real(run, "scale");
  options.causal = run.fixture.flag("causal");
  options.offset = run.fixture.integer("offset");
  options.period = run.fixture.integer("period");
  return softmax(run.ex, run.input("x"), options);
}

Value run_cross_entropy(CaseRun& run) {
  return cross_entropy(run.ex, run.input("logits"), run.index("targets"));
}

Value run_attention(CaseRun& run) {
  AttentionOptions options;
  options.heads = run.fixture.integer("heads");
  options.kv_heads = run.fixture.integer("kv_heads");
  options.scale = real(run, "scale");
  options.causal = run.fixture.flag("causal");
  options.window = run.fixture.integer("window");
  options.logit_cap = real(run, "logit_cap");
  Value q = run.input("q"), k = run.input("k"), v = run.input("v");
  if (run.fixture.has("in.offsets")) {
    return attention(run.ex, std::move(q), std::move(k), std::move(v), run.index("offsets"),
                     options);
  }
  return attention(run.ex, std::move(q), std::move(k), std::move(v),
                   run.fixture.integer("sequences"), options);
}

Value run_gather_rows(CaseRun& run) {
  return gather_rows(run.ex, run.input("x"), run.index("index"));
}

Value run_scatter_add_rows(CaseRun& run) {
  return scatter_add_rows(run.ex, run.input("x"), run.index("index"), run.fixture.integer("rows"));
}

Value run_grouped_linear(CaseRun& run) {
  return grouped_linear(run.ex, run.input("x"), run.input("weights"), run.index("offsets"),
                        run.fixture.integer("experts"), run.input("bias"));
}

Value run_tied_embedding_head(CaseRun& run) {
  Executor& ex = run.ex;
  const Value embedding = run.input("embedding");  // [V, D]
  const Value x = rms_norm(ex, gather_rows(ex, embedding, run.index("tokens")), run.input("norm"),
                           real(run, "eps"));
  return cross_entropy(ex, linear(ex, x, embedding), run.index("targets"));
}

Value run_tiny_network(CaseRun& run) {
  const Fixture& fixture = run.fixture;
  TinyNetworkShape shape{fixture.integer("in"), fixture.integer("out"), fixture.integer("width"),
                         fixture.integer("hidden_layers")};
  const std::string& quoted = fixture.text("attr.activation");
  const std::string name = quoted.substr(1, quoted.size() - 2);
  bool known = false;
  for (const Activation kind : {Activation::relu, Activation::gelu, Activation::tanh}) {
    if (to_string(kind) != name) continue;
    shape.activation = kind;
    known = true;
  }
  check(known, ErrorKind::io, fixture.name(), "unknown activation ", name);
  return tiny_network(run.ex, run.input("x"), run.input("weights"), shape);
}

std::vector<Runner> operation_runners() {
  return {
      {"relu", {"relu"}, run_activation<Activation::relu>},
      {"gelu", {"gelu"}, run_activation<Activation::gelu>},
      {"gelu_tanh", {"gelu_tanh"}, run_activation<Activation::gelu_tanh>},
      {"quick_gelu", {"quick_gelu"}, run_activation<Activation::quick_gelu>},
      {"silu", {"silu"}, run_activation<Activation::silu>},
      {"swish", {"swish"}, run_swish},
      {"relu2", {"relu2"}, run_activation<Activation::relu2>},
      {"sigmoid", {"sigmoid"}, run_activation<Activation::sigmoid>},
      {"tanh", {"tanh"}, run_activation<Activation::tanh>},
      {"hardswish", {"hardswish"}, run_activation<Activation::hardswish>},
      {"hardsigmoid", {"hardsigmoid"}, run_activation<Activation::hardsigmoid>},
      {"identity", {}, run_identity},
      {"linear", {"linear"}, run_linear},
      {"matmul", {"matmul"}, run_matmul},
      {"lora_linear", {}, run_lora},
      {"multiply", {"multiply"}, run_multiply},
      {"add", {"add"}, run_add},
      {"scale", {"scale"}, run_scale},
      {"scale_rows", {"scale_rows"}, run_scale_rows},
      {"views", {"split_cols", "slice_cols", "slice_rows", "concat_cols", "reshape"}, run_views},
      {"layer_norm", {"layer_norm"}, run_layer_norm},
      {"rms_norm", {"rms_norm"}, run_rms_norm},
      {"batch_norm", {"batch_norm"}, run_batch_norm},
      {"softmax", {"softmax"}, run_softmax},
      {"attention", {"attention"}, run_attention},
      {"cross_entropy", {"cross_entropy"}, run_cross_entropy},
      {"gather_rows", {"gather_rows"}, run_gather_rows},
      {"scatter_add_rows", {"scatter_add_rows"}, run_scatter_add_rows},
      {"grouped_linear", {"grouped_linear"}, run_grouped_linear},
      {"tiny_network", {"tiny_network"}, run_tiny_network},
      {"tied_embedding_head", {}, run_tied_embedding_head},
  };
}

}  // namespace

std::span<const Runner> runners() {
  static const std::vector<Runner> kAll = [] {
    std::vector<Runner> all = operation_runners();
    for (const Runner& runner : token_runners()) all.push_back(runner);
    for (const Runner& runner : routing_runners()) all.push_back(runner);
    for (const Runner& runner : router_runners()) all.push_back(runner);
    return all;
  }();
  return kAll;
}

const Runner* find_runner(std::string_view op) {
  for (const Runner& runner : runners()) {
    if (runner.op == op) return &runner;
  }
  return nullptr;
}

}  // namespace ffn::parity
