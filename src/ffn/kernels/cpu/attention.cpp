// Attention in blocks of query rows. Results do not depend on the number of threads: a block's
// numbers depend on its own sequence and key head, and each gradient of a key head is summed by one
// thread.
#include "ffn/kernels/cpu/attention_block.h"
#include "ffn/kernels/cpu/attention_few_rows.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_attention(KernelTable& table);

namespace {

// Leading dimensions of what one thread keeps: rows of W numbers, as wide as their panels, for
// which they make room as well; rows of scores (16 more than they need: a power of two would put
// the rows of a tile into one cache set).
struct Widths {
  std::int64_t row, scores, rows;

  Widths(std::int64_t width, std::int64_t keys, std::int64_t list_rows)
      : row(round_up(round_up(width, kPanel), 16)),
        scores(round_up(round_up(keys, kPanel), 16) + 16),
        rows(least(kBlockQueries, list_rows)) {}
};
template <class Args>
AttentionShape shape_of(const Args& args) {
  const AttentionRule& rule = args.rule;
  const bool ragged = args.offsets != nullptr;
  const std::int64_t parts = ragged ? 1 : most(args.sequences, 1);
  return {args.sequences, args.q.rows / parts,      args.k.rows / parts,     rule.heads,
          rule.kv_heads,  args.q.cols / rule.heads, args.lse.data != nullptr};
}
Widths widths_of(const AttentionShape& shape) {
  return {shape.width, shape.keys, shape.queries * (shape.heads / shape.kv_heads)};
}

// ---- forward ----

struct ForwardMemory {
  float *k = nullptr, *v = nullptr;  // panels; few rows need none
  float *q, *scores, *out;

  ForwardMemory(const AttentionShape& shape, float* at) {
    const Widths ld = widths_of(shape);
    Pieces pieces(at);
    if (!has_few_rows(shape)) {
      k = pieces.take(panel_floats(shape.keys, shape.width));
      v = pieces.take(panel_floats(shape.width, shape.keys));
    }
    q = pieces.take(ld.rows * ld.row);
    scores = pieces.take(ld.rows * ld.scores);
    out = pieces.take(ld.rows * ld.row);
  }
  static std::int64_t floats(const AttentionShape& shape) {
    const Widths ld = widths_of(shape);
    const std::int64_t panels =
        panel_floats(shape.keys, shape.width) + panel_floats(shape.width, shape.keys);
    return (has_few_rows(shape) ? 0 : panels) + ld.rows * (2 * ld.row + ld.scores);
  }
};

// Scores become numerators exp(s − max); gives their sum and, for lse, the maximum.
struct RowSum {
  float max;
  double total;
};
RowSum exponentiate(const AttentionRule& rule, Range all, Range visible, float* scores) {
  hide(all, visible, scores);
  float* row = scores + visible.begin;
  const std::int64_t n = visible.end - visible.begin;
  if (n <= 0) return {0, 0};
  if (rule.logit_cap > 0) cap_scores(rule.logit_cap, row, n);
  const auto same = [](Vec s) { return s; };
  const float* from = row;
  const float max = largest(-__builtin_inff(), n, same, from);
  return {max, exponentials(max, row, n)};
}

// Keys and values of a head: panels for the scores and for the result or, where these are null, the
// rows as they stand.
struct ForwardKeys {
  ConstMatrix k_rows, v_rows;
  Panels k, v;
};
ForwardKeys forward_keys(const AttentionForwardArgs& args, const Block& head,
                         const ForwardMemory& memory) {
  ForwardKeys keys{head_rows(args.k, head), head_rows(args.v, head), {}, {}};
  if (memory.k == nullptr) return keys;
  keys.k = make_panels(ProductForm::nt, keys.k_rows, memory.k);
  keys.v = make_panels(ProductForm::nn, keys.v_rows, memory.v);
  return keys;
}

void forward_block(const AttentionForwardArgs& args, const Block& block, const Widths& ld,
                   const ForwardMemory& memory, const ForwardKeys& of) {
  const Range keys = block.keys(args.rule);
  const bool few = of.k.data == nullptr;
  RowSum sums[kBlockQueries] = {};
  if (keys.begin < keys.end) {
    load_block(args.q, block, args.rule.scale, memory.q, ld.row);
    if (few) {
      few_scores(memory.q, ld.row, block, keys, of.k_rows, memory.scores, ld.scores);
    } else {
      block_scores(memory.q, ld.row, block, keys, of.k, memory.scores, ld.scores);
    }
    for (std::int64_t r = 0; r < block.rows; ++r) {
      sums[r] = exponentiate(args.rule, keys, visible_keys(args.rule, block.at, block.query(r)),
                             memory.scores + r * ld.scores);
    }
    if (few) {
      few_sums(memory.scores, ld.scores, block, keys, of.v_rows, memory.out, ld.row);
    } else {
      sum_over_keys(memory.scores, ld.scores, block, keys, of.v, memory.out, ld.row);
    }
  } else {
    fill_with(block.rows * ld.row, memory.out, 0);
  }
  Writer y(args.y), lse(args.lse);
  for (std::int64_t r = 0; r < block.rows; ++r) {
    const bool any = sums[r].total != 0;
    const float inverse = any ? static_cast<float>(1 / sums[r].total) : 0;
    store_row(y, block.row(r), block.head(r) * block.width, block.width, inverse,
              memory.out + r * ld.row);
    if (!lse.present()) continue;
    const double max = fault(60) ? 0 : static_cast<double>(sums[r].max);
    lse.put(block.row(r), block.head(r),
            any ? static_cast<float>(max + log_positive(sums[r].total)) : 0);
  }
}

// Blocks [tasks.begin, tasks.end) in the order of sequence, key head, block.
void forward_tasks(const AttentionForwardArgs& args, Range tasks, float* workspace) {
  const AttentionShape shape = shape_of(args);
  const Widths ld = widths_of(shape);
  const ForwardMemory memory(shape, workspace);
  std::int64_t first = 0;
  for (std::int64_t i = 0; i < args.sequences * args.rule.kv_heads && first < tasks.end; ++i) {
    const Block head = whole_head(args, i / args.rule.kv_heads, i % args.rule.kv_heads);
    const Range here{most(tasks.begin - first, 0), least(tasks.end - first, head.blocks())};
    if (here.begin < here.end) {
      const ForwardKeys keys = forward_keys(args, head, memory);
      for (std::int64_t block = here.begin; block < here.end; ++block) {
        forward_block(args, head.part(block), ld, memory, keys);
      }
    }
    first += head.blocks();
  }
}

void attention_forward(const LaunchContext& ctx, const AttentionForwardArgs& args) {
  std::int64_t tasks = 0;
  for (std::int64_t s = 0; s < args.sequences; ++s) {
    tasks += args.rule.kv_heads * whole_head(args, s, 0).blocks();
  }
  for_tasks(ctx, tasks, ForwardMemory::floats(shape_of(args)),
            [&](Range range, float* workspace) { forward_tasks(args, range, workspace); });
}

std::int64_t attention_workspace(const AttentionShape& shape, int threads) {
  const std::int64_t rows = shape.queries * (shape.heads / shape.kv_heads);
  const std::int64_t blocks = most(ceil_div(rows, kBlockQueries), 1);
  const std::int64_t parts = task_parts(shape.sequences * shape.kv_heads * blocks, threads);
  return parts * ForwardMemory::floats(shape) * 4;
}

// ---- backward ----

struct BackwardMemory {
  float *k_scores, *v_scores, *k_values;  // kᵀ, vᵀ, k as panels
  float *q, *dy, *q_panels, *dy_panels;   // of a block; q times scale
  float *p, *ds, *dq;                     // of a block
  float *dk, *dv;                         // [keys, W]

  BackwardMemory(const AttentionShape& shape, float* at) {
    const Widths ld = widths_of(shape);
    Pieces pieces(at);
    k_scores = pieces.take(panel_floats(shape.keys, shape.width));
    v_scores = pieces.take(panel_floats(shape.keys, shape.width));
    k_values = pieces.take(panel_floats(shape.width, shape.keys));
    for (float** rows : {&q, &dy, &q_panels, &dy_panels, &dq})
      *rows = pieces.take(ld.rows * ld.row);
    for (float** scores : {&p, &ds}) *scores = pieces.take(ld.rows * ld.scores);
    for (float** sums : {&dk, &dv}) *sums = pieces.take(shape.keys * ld.row);
  }
  static std::int64_t floats(const AttentionShape& shape) {
    const Widths ld = widths_of(shape);
    return 2 * panel_floats(shape.keys, shape.width) + panel_floats(shape.width, shape.keys) +
           ld.rows * (5 * ld.row + 2 * ld.scores) + 2 * shape.keys * ld.row;
  }
};

// A row of scores becomes p, a row of dp becomes ds/scale.
void backward_row(const AttentionRule& rule, float lse, Range visible, float* p, float* ds) {
  const std::int64_t n = visible.end - visible.begin;
  if (n <= 0) return;
  float *s = p + visible.begin, *slope = ds + visible.begin;
  const float *from = s, *up = slope;
  const Vec log_sum = set(lse);
  const auto product = [](Vec a, Vec b) { return a * b; };
  const auto row_dot = [&](auto weight) {
    double dot = 0;
    for_row_segments(n, [&](std::int64_t at, std::int64_t count) {
      dot += static_cast<double>(sum(count, weight, from + at, up + at));
    });
    return set(static_cast<float>(dot));
  };
  if (rule.logit_cap > 0) {
    cap_scores(rule.logit_cap, s, n);
    const Vec inverse = set(1 / rule.logit_cap);
    const Vec dot = row_dot([=](Vec x, Vec dp) { return exp_flushed(x - log_sum) * dp; });
    map_pair(
        n, slope, s,
        [=](Vec dp, Vec x) -> Pair {
          const Vec weight = exp_flushed(x - log_sum), t = x * inverse;
          return {weight * (dp - dot) * fnma(t, t, set(1)), weight};
        },
        up, from);
    return;
  }
  map(n, s, [=](Vec x) { return exp_flushed(x - log_sum); }, from);
  const Vec dot = row_dot(product);
  map(n, slope, [=](Vec weight, Vec dp) { return weight * (dp - dot); }, from, up);
}

struct HeadPanels {
  Panels k_scores, v_scores, k_values;
};

void backward_block(const AttentionBackwardArgs& args, const Block& block, const Widths& ld,
                    const BackwardMemory& m, const HeadPanels& head) {
  const AttentionRule& rule = args.rule;
  const bool wants_dq = args.dq.to.data != nullptr, wants_dk = args.dk.to.data != nullptr;
  const Range keys = block.keys(rule);
  if (keys.begin < keys.end) {
    load_block(args.q, block, rule.scale, m.q, ld.row);
    load_block(args.dy, block, 1, m.dy, ld.row);
    block_scores(m.q, ld.row, block, keys, head.k_scores, m.p, ld.scores);
    if (wants_dq || wants_dk) {
      block_scores(m.dy, ld.row, block, keys, head.v_scores, m.ds, ld.scores);
    } else {
      fill_with(block.rows * ld.scores, m.ds, 0);
    }
    Reader lse(args.lse);
    for (std::int64_t r = 0; r < block.rows; ++r) {
      const Range visible = visible_keys(rule, block.at, block.query(r));
      float *p = m.p + r * ld.scores, *ds = m.ds + r * ld.scores;
      hide(keys, visible, p);
      hide(keys, visible, ds);
      backward_row(rule, lse.element(block.row(r), block.head(r)), visible, p, ds);
    }
    const auto add_to_keys = [&](const float* weights, const float* rows, float* panels,
                                 float* sums) {
      const ConstMatrix matrix{rows, DType::f32, block.rows, block.width, ld.row};
      multiply_block({TileForm::columns, weights + keys.begin, ld.scores, keys.end - keys.begin,
                      block.width, block.rows, make_panels(ProductForm::nn, matrix, panels),
                      sums + keys.begin * ld.row, ld.row, true});
    };
    if (args.dv.to.data != nullptr) add_to_keys(m.p, m.dy, m.dy_panels, m.dv);
    if (wants_dk) add_to_keys(m.ds, m.q, m.q_panels, m.dk);
    if (wants_dq) sum_over_keys(m.ds, ld.scores, block, keys, head.k_values, m.dq, ld.row);
  } else if (wants_dq) {
    fill_with(block.rows * ld.row, m.dq, 0);
  }
  if (!wants_dq) return;
  Writer dq(args.dq);
  for (std::int64_t r = 0; r < block.rows; ++r) {
    store_row(dq, block.row(r), block.head(r) * block.width, block.width, rule.scale,
              m.dq + r * ld.row);
  }
}

void store_keys(const GradMatrix& gradient, const Block& head, const float* sums, std::int64_t ld) {
  if (gradient.to.data == nullptr) return;
  Writer to(gradient);
  for (std::int64_t j = 0; j < head.at.keys; ++j) {
    store_row(to, head.at.first_key + j, head.key_head * head.width, head.width, 1, sums + j * ld);
  }
}

void backward_head(const AttentionBackwardArgs& args, const Block& head, const Widths& ld,
                   const BackwardMemory& m) {
  const ConstMatrix k = head_rows(args.k, head);
  HeadPanels panels{};
  panels.k_scores = make_panels(ProductForm::nt, k, m.k_scores);
  if (args.v.data != nullptr) {
    panels.v_scores = make_panels(ProductForm::nt, head_rows(args.v, head), m.v_scores);
  }
  if (args.dq.to.data != nullptr) panels.k_values = make_panels(ProductForm::nn, k, m.k_values);
  fill_with(head.at.keys * ld.row, m.dk, 0);
  fill_with(head.at.keys * ld.row, m.dv, 0);
  for (std::int64_t block = 0; block < head.blocks(); ++block) {
    backward_block(args, head.part(block), ld, m, panels);
  }
  store_keys(args.dk, head, m.dk, ld.row);
  store_keys(args.dv, head, m.dv, ld.row);
}

void attention_backward(const LaunchContext& ctx, const AttentionBackwardArgs& args) {
  const AttentionShape shape = shape_of(args);
  const std::int64_t kv_heads = args.rule.kv_heads;
  for_tasks(ctx, args.sequences * kv_heads, BackwardMemory::floats(shape),
            [&](Range tasks, float* workspace) {
              const BackwardMemory memory(shape, workspace);
              for (std::int64_t i = tasks.begin; i < tasks.end; ++i) {
                backward_head(args, whole_head(args, i / kv_heads, i % kv_heads), widths_of(shape),
                              memory);
              }
            });
}

std::int64_t attention_backward_workspace(const AttentionShape& shape, int threads) {
  return task_parts(shape.sequences * shape.kv_heads, threads) * BackwardMemory::floats(shape) * 4;
}

}  // namespace

void fill_attention(KernelTable& table) {
  table.attention_forward = attention_forward;
  table.attention_backward = attention_backward;
  table.attention_workspace = attention_workspace;
  table.attention_backward_workspace = attention_backward_workspace;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
