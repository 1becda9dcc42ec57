// Attention, one query of one head at a time.
#include "ffn/kernels/attention.h"

#include <algorithm>
#include <cmath>

#include "ffn/base/faults.h"
#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

struct Rows {
  std::int64_t begin, count;
};
struct Sequence {
  Rows queries, keys;
};

template <class Args>
Sequence sequence(const Args& args, std::int64_t s) {
  if (args.offsets != nullptr) {
    const Rows rows{args.offsets[s], args.offsets[s + 1] - args.offsets[s]};
    return {rows, rows};
  }
  const std::int64_t queries = args.q.rows / args.sequences, keys = args.k.rows / args.sequences;
  return {{s * queries, queries}, {s * keys, keys}};
}

bool sees(const AttentionRule& rule, const Sequence& at, std::int64_t query, std::int64_t key) {
  const std::int64_t position = query + at.keys.count - at.queries.count;
  if (rule.causal && key > position) return false;
  if (rule.window > 0 && key <= position - rule.window) return false;
  return rule.causal || rule.window == 0 || key < position + rule.window;
}

// Scores of one head of one query.
template <class T>
class Scores {
 public:
  template <class Args>
  explicit Scores(const Args& args)
      : rule_(args.rule), q_(args.q), k_(args.k), width_(args.q.cols / args.rule.heads) {}

  std::int64_t key_column(std::int64_t head) const {
    return head / (rule_.heads / rule_.kv_heads) * width_;
  }
  T operator()(std::int64_t q_row, std::int64_t head, std::int64_t k_row) const {
    T dot{};
    for (std::int64_t w = 0; w < width_; ++w) {
      dot += q_(q_row, head * width_ + w) * k_(k_row, key_column(head) + w);
    }
    const T score = static_cast<double>(rule_.scale) * dot;
    return rule_.logit_cap > 0 ? cap() * std::tanh(score / cap()) : score;
  }
  // d(capped score)/d(score).
  T slope(const T& score) const {
    return rule_.logit_cap > 0 ? 1.0 - score / cap() * (score / cap()) : T(1);
  }

 private:
  double cap() const { return static_cast<double>(rule_.logit_cap); }

  const AttentionRule& rule_;
  Input<T> q_, k_;
  std::int64_t width_;
};

// Calls body(sequence, head, query) for every query.
template <class Args, class Body>
void for_each_query(const Args& args, std::int64_t first_head, std::int64_t heads, std::int64_t s,
                    const Body& body) {
  const Sequence at = sequence(args, s);
  for (std::int64_t i = 0; i < at.queries.count; ++i) {
    for (std::int64_t head = first_head; head < first_head + heads; ++head) body(at, head, i);
  }
}

// `weights` holds one number per key.
template <class T>
void forward_query(const AttentionForwardArgs& args, const Sequence& at, std::int64_t head,
                   std::int64_t i, T* weights) {
  const Scores<T> score(args);
  const Input<T> v(args.v);
  const Output<T> y(args.y), lse(args.lse);
  const std::int64_t width = args.q.cols / args.rule.heads, row = at.queries.begin + i;
  bool any = false;
  T max{}, sum{};
  for (std::int64_t j = 0; j < at.keys.count; ++j) {
    if (!sees(args.rule, at, i, j)) continue;
    weights[j] = score(row, head, at.keys.begin + j);
    max = any ? max_by_real(max, weights[j]) : weights[j];
    any = true;
  }
  for (std::int64_t j = 0; j < at.keys.count; ++j) {
    weights[j] = sees(args.rule, at, i, j) ? std::exp(weights[j] - max) : T(0);
    sum += weights[j];
  }
  for (std::int64_t w = 0; w < width; ++w) {
    T total{};
    for (std::int64_t j = 0; j < at.keys.count; ++j) {
      total += weights[j] * v(at.keys.begin + j, score.key_column(head) + w);
    }
    y.put(row, head * width + w, any ? total / sum : T(0));
  }
  lse.put_if_present(row, head, any ? max + std::log(sum) : T(0));
}

void attention_forward(const LaunchContext& ctx, const AttentionForwardArgs& args) {
  const DType lse = args.lse.data == nullptr ? DType::f32 : args.lse.dtype;
  with_compute_type({args.q.dtype, args.k.dtype, args.v.dtype, args.y.dtype, lse}, [&]<class T>() {
    void* workspace = ctx.workspace;
    for (std::int64_t s = 0; s < args.sequences; ++s) {
      for_each_query(args, 0, args.rule.heads, s,
                     [&](const Sequence& at, std::int64_t head, std::int64_t i) {
                       forward_query(args, at, head, i, static_cast<T*>(workspace));
                     });
    }
  });
}

// One key head's sums over queries; rows of W numbers per key.
template <class T>
struct KeySums {
  T *p, *ds, *dk, *dv;
};

template <class T>
void backward_query(const AttentionBackwardArgs& args, const Sequence& at, std::int64_t head,
                    std::int64_t i, const KeySums<T>& sums) {
  const Scores<T> score(args);
  const Input<T> q(args.q), k(args.k), v(args.v), lse(args.lse), dy(args.dy);
  const Output<T> dq(args.dq);
  const std::int64_t width = args.q.cols / args.rule.heads, row = at.queries.begin + i;
  const std::int64_t own = head * width, shared = score.key_column(head), keys = at.keys.count;
  T dot{};
  for (std::int64_t j = 0; j < keys; ++j) {
    sums.p[j] = sums.ds[j] = T(0);
    if (!sees(args.rule, at, i, j)) continue;
    sums.p[j] = std::exp(score(row, head, at.keys.begin + j) - lse(row, head));
    for (std::int64_t w = 0; w < width && v.present(); ++w) {
      sums.ds[j] += dy(row, own + w) * v(at.keys.begin + j, shared + w);
    }
    if (!fault(61)) dot += sums.p[j] * sums.ds[j];
  }
  for (std::int64_t j = 0; j < keys; ++j) {
    if (!sees(args.rule, at, i, j)) continue;
    const T slope = score.slope(score(row, head, at.keys.begin + j));
    sums.ds[j] = static_cast<double>(args.rule.scale) * sums.p[j] * (sums.ds[j] - dot) * slope;
    for (std::int64_t w = 0; w < width; ++w) {
      sums.dk[j * width + w] += sums.ds[j] * q(row, own + w);
      sums.dv[j * width + w] += sums.p[j] * dy(row, own + w);
    }
  }
  for (std::int64_t w = 0; w < width && dq.present(); ++w) {  // dq may lie where dy was
    T total{};
    for (std::int64_t j = 0; j < keys; ++j) {
      total += sums.ds[j] * k(at.keys.begin + j, shared + w);
    }
    dq.put(row, own + w, total);
  }
}

void attention_backward(const LaunchContext& ctx, const AttentionBackwardArgs& args) {
  const AttentionRule& rule = args.rule;
  const std::int64_t width = args.q.cols / rule.heads, group = rule.heads / rule.kv_heads;
  with_compute_type({args.q.dtype, args.k.dtype, args.lse.dtype, args.dy.dtype}, [&]<class T>() {
    void* workspace = ctx.workspace;
    const Output<T> dk(args.dk), dv(args.dv);
    for (std::int64_t task = 0; task < args.sequences * rule.kv_heads; ++task) {
      const std::int64_t s = task / rule.kv_heads, head = task % rule.kv_heads;
      const Rows keys = sequence(args, s).keys;
      T* p = static_cast<T*>(workspace);
      const KeySums<T> sums{p, p + keys.count, p + 2 * keys.count, p + (2 + width) * keys.count};
      std::fill_n(sums.dk, 2 * width * keys.count, T(0));
      for_each_query(args, head * group, group, s,
                     [&](const Sequence& at, std::int64_t query_head, std::int64_t i) {
                       backward_query(args, at, query_head, i, sums);
                     });
      for (std::int64_t i = 0; i < keys.count * width; ++i) {
        const std::int64_t row = keys.begin + i / width, col = head * width + i % width;
        dk.put_if_present(row, col, sums.dk[i]);
        dv.put_if_present(row, col, sums.dv[i]);
      }
    }
  });
}

constexpr auto kNumberBytes = static_cast<std::int64_t>(sizeof(Complex));

}  // namespace

void add_attention_kernels(KernelTable& table) {
  table.attention_forward = attention_forward;
  table.attention_backward = attention_backward;
  table.attention_workspace = [](const AttentionShape& shape, int) {
    return kNumberBytes * shape.keys;
  };
  table.attention_backward_workspace = [](const AttentionShape& shape, int) {
    return kNumberBytes * shape.keys * (2 + 2 * shape.width);
  };
}

}  // namespace ffn::inline v0::kernels::reference
