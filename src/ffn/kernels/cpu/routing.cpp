// The choice of experts and of tokens, the slots that follow from it, and the balance of load.
// Every result equals the reference's to the bit: sums that are compared are taken in double, as
// there.
#include "ffn/kernels/routing.h"

#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_routing(KernelTable& table);

namespace {

// The largest values first, ties to the lower index.
struct Ranked {
  double value;
  std::int64_t index;
};

bool before(const Ranked& a, const Ranked& b) {
  return a.value > b.value || (a.value == b.value && a.index < b.index);
}

double not_nan(double value) { return value == value ? value : -__builtin_inf(); }

// scores + bias of one row. f32 would make ties of sums that differ by less than its rounding.
class RowSums {
 public:
  explicit RowSums(const ChooseExpertsArgs& args)
      : scores_(args.scores), bias_(args.bias), experts_(args.scores.cols) {}

  void start(std::int64_t row) {
    row_ = row;
    begin_ = end_ = 0;
  }
  double operator()(std::int64_t expert) {
    if (expert < begin_ || expert >= end_) read_segment(expert / kSegment * kSegment);
    return not_nan(static_cast<double>(score_[expert - begin_]) +
                   static_cast<double>(added_[expert - begin_]));
  }

 private:
  void read_segment(std::int64_t begin) {
    begin_ = begin;
    end_ = least(begin + kSegment, experts_);
    score_ = scores_.read(row_, begin_, end_ - begin_);
    added_ = bias_.read(0, begin_, end_ - begin_);
  }

  Reader scores_, bias_;
  std::int64_t experts_, row_ = 0, begin_ = 0, end_ = 0;
  const float *score_ = nullptr, *added_ = nullptr;
};

// Which groups of experts a row looks into: those that do not come after the last of the best.
class Groups {
 public:
  explicit Groups(const ChooseExpertsArgs& args)
      : groups_(args.groups),
        top_(args.top_groups),
        terms_(args.group_terms),
        size_(args.scores.cols / args.groups) {}

  std::int64_t count() const { return groups_; }
  std::int64_t size() const { return size_; }

  void start(RowSums& sums) {
    if (top_ == groups_) return;
    for (std::int64_t g = 0; g < least(groups_, kKept); ++g) kept_[g] = score_of(sums, g);
    last_ = {__builtin_inf(), -1};
    for (std::int64_t i = 0; i < top_; ++i) {
      Ranked best{-__builtin_inf(), groups_};
      for (std::int64_t g = 0; g < groups_; ++g) {
        const Ranked here{score(sums, g), g};
        if (before(last_, here) && before(here, best)) best = here;
      }
      last_ = best;
    }
  }
  bool looked_into(RowSums& sums, std::int64_t group) const {
    return top_ == groups_ || !before(last_, {score(sums, group), group});
  }

 private:
  // Scores that lie on the stack; those of more groups are computed each time they are asked for.
  static constexpr std::int64_t kKept = 64;

  double score(RowSums& sums, std::int64_t group) const {
    return group < kKept ? kept_[group] : score_of(sums, group);
  }
  double score_of(RowSums& sums, std::int64_t group) const {
    const std::int64_t begin = group * size_, terms = fault(86) ? 1 : terms_;
    Ranked last{__builtin_inf(), -1};
    double total = 0;
    for (std::int64_t term = 0; term < terms; ++term) {
      Ranked best{-__builtin_inf(), begin + size_};
      for (std::int64_t e = begin; e < begin + size_; ++e) {
        const Ranked here{sums(e), e};
        if (before(last, here) && before(here, best)) best = here;
      }
      last = best;
      total += last.value;
    }
    return not_nan(total);
  }

  std::int64_t groups_, top_, terms_, size_;
  double kept_[kKept];
  Ranked last_{};
};

// The result is the list of the best so far, into which each expert is sorted from behind: most
// fail at the last of the list.
void choose_row(const ChooseExpertsArgs& args, std::int64_t row, RowSums& sums, Groups& groups) {
  std::int32_t* chosen = args.expert + row * args.k;
  sums.start(row);
  groups.start(sums);
  std::int64_t count = 0;
  double smallest = 0;  // of the list
  for (std::int64_t g = 0; g < groups.count(); ++g) {
    if (!groups.looked_into(sums, g)) continue;
    for (std::int64_t e = g * groups.size(); e < (g + 1) * groups.size(); ++e) {
      const double sum = sums(e);
      const bool beats_last = sum > smallest || (fault(84) && sum == smallest);
      if (count == args.k && !beats_last) continue;
      std::int64_t at = count < args.k ? count++ : args.k - 1;
      for (; at > 0 && sum > sums(chosen[at - 1]); --at) chosen[at] = chosen[at - 1];
      chosen[at] = static_cast<std::int32_t>(e);
      smallest = sums(chosen[count - 1]);
    }
  }
}

void place_row(const ChooseExpertsArgs& args, std::int64_t row) {
  for (std::int64_t slot = row * args.k; slot < (row + 1) * args.k; ++slot) {
    if (args.given != nullptr) args.expert[slot] = args.given[slot];
    args.place[slot] = static_cast<std::int32_t>(row * args.scores.cols + args.expert[slot]);
  }
}

void choose_experts(const LaunchContext& ctx, const ChooseExpertsArgs& args) {
  FFN_ASSERT(args.groups >= 1 && args.scores.cols % args.groups == 0);
  FFN_ASSERT(args.top_groups >= 1 && args.top_groups <= args.groups);
  FFN_ASSERT(args.group_terms >= 1 && args.group_terms <= args.scores.cols / args.groups);
  FFN_ASSERT(args.k >= 1 && args.k <= args.top_groups * (args.scores.cols / args.groups));
  const std::int64_t work = 4 * args.scores.cols;
  for_row_ranges(ctx, args.scores.rows, work, [&](std::int64_t begin, std::int64_t end) {
    RowSums sums(args);
    Groups groups(args);
    for (std::int64_t row = begin; row < end; ++row) {
      if (args.given == nullptr) choose_row(args, row, sums, groups);
      place_row(args, row);
    }
  });
}

void put_slot(const SortSlotsArgs& args, std::int64_t position, std::int64_t slot) {
  args.order[position] = static_cast<std::int32_t>(slot);
  args.token[position] = static_cast<std::int32_t>(slot / args.k);
}

// Counting sort, stable, so slots of one expert stay in order. offsets serves as the write
// positions, which end one expert too far and are moved back.
void sort_all_slots(const SortSlotsArgs& args) {
  const std::int64_t slots = args.rows * args.k, E = args.experts;
  std::int32_t* offsets = args.offsets;
  for (std::int64_t e = 0; e <= E; ++e) offsets[e] = 0;
  for (std::int64_t slot = 0; slot < slots; ++slot) {
    FFN_ASSERT(args.expert[slot] >= 0 && args.expert[slot] < E);
    ++offsets[args.expert[slot] + 1];
  }
  for (std::int64_t e = 0; e < E; ++e) offsets[e + 1] += offsets[e];
  for (std::int64_t slot = 0; slot < slots; ++slot) {
    put_slot(args, offsets[args.expert[slot]]++, slot);
  }
  for (std::int64_t e = E; e > 0; --e) offsets[e] = offsets[e - 1];
  offsets[0] = 0;
}

// offsets counts the slots of each expert until it gets what it is for.
void sort_first_slots(const SortSlotsArgs& args) {
  const std::int64_t slots = args.rows * args.k, E = args.experts, C = args.capacity;
  for (std::int64_t position = 0; position < E * C; ++position) {
    args.order[position] = args.token[position] = -1;
  }
  for (std::int64_t e = 0; e < E; ++e) args.offsets[e] = 0;
  for (std::int64_t slot = 0; slot < slots; ++slot) {
    const std::int64_t e = args.expert[slot];
    FFN_ASSERT(e >= 0 && e < E);
    if (args.offsets[e] < C) {
      put_slot(args, e * C + args.offsets[e]++, slot);
    } else if (fault(85)) {
      put_slot(args, e * C + C - 1, slot);
    }
  }
  for (std::int64_t e = 0; e <= E; ++e) args.offsets[e] = static_cast<std::int32_t>(e * C);
}

void sort_slots(const LaunchContext&, const SortSlotsArgs& args) {
  FFN_ASSERT(args.k >= 1 && args.capacity >= 0);
  return args.capacity == 0 ? sort_all_slots(args) : sort_first_slots(args);
}

// The C best rows of one expert in one sequence, as a heap in the result: token holds rows, place
// the bits of their scores until the choice is made. Scores are bf16 or f32: 32 bits hold them.
class TokenHeap {
 public:
  TokenHeap(std::int32_t* token, std::int32_t* place, std::int64_t size)
      : token_(token), place_(place), size_(size) {}

  void set(std::int64_t at, float score, std::int64_t row) {
    token_[at] = static_cast<std::int32_t>(row);
    place_[at] = __builtin_bit_cast(std::int32_t, score);
  }
  // Rows come in rising order: one with an equal score stands behind those that are here.
  bool takes(float score) const { return score > score_at(0); }

  // Entry 0 is the worst of all once every entry is no better than its children.
  void build() {
    for (std::int64_t at = size_ / 2 - 1; at >= 0; --at) sink(at, size_);
  }
  void replace_worst(float score, std::int64_t row) {
    set(0, score, row);
    sink(0, size_);
  }
  // The worst goes to the end, then the worst of the others before it: the best comes first.
  void sort() {
    for (std::int64_t end = size_ - 1; end > 0; --end) {
      swap(0, end);
      sink(0, end);
    }
  }

 private:
  float score_at(std::int64_t at) const { return __builtin_bit_cast(float, place_[at]); }
  bool worse(std::int64_t a, std::int64_t b) const {
    const float x = score_at(a), y = score_at(b);
    return x < y || (x == y && token_[a] > token_[b]);
  }
  void swap(std::int64_t a, std::int64_t b) {
    const std::int32_t token = token_[a], place = place_[a];
    token_[a] = token_[b];
    place_[a] = place_[b];
    token_[b] = token;
    place_[b] = place;
  }
  void sink(std::int64_t at, std::int64_t end) {
    for (std::int64_t child = 2 * at + 1; child < end; child = 2 * at + 1) {
      if (child + 1 < end && worse(child + 1, child)) ++child;
      if (!worse(child, at)) return;
      swap(at, child);
      at = child;
    }
  }

  std::int32_t *token_, *place_;
  std::int64_t size_;
};

// C ≥ 1 rows of [first, first + T) for `expert`, at `position` and after it.
void choose_rows(const ChooseTokensArgs& args, std::int64_t expert, std::int64_t first,
                 std::int64_t T, std::int64_t position, Reader& scores) {
  const std::int64_t C = args.capacity;
  std::int32_t *token = args.token + position, *place = args.place + position;
  const auto score_of = [&](std::int64_t row) {
    const float score = scores.element(row, expert);
    return score == score ? score : -__builtin_inff();
  };
  TokenHeap heap(token, place, C);
  for (std::int64_t c = 0; c < C; ++c) heap.set(c, score_of(first + c), first + c);
  heap.build();
  for (std::int64_t row = first + C; row < first + T; ++row) {
    const float score = score_of(row);
    if (heap.takes(score)) heap.replace_worst(score, row);
  }
  heap.sort();
  for (std::int64_t c = 0; c < C; ++c) {
    if (fault(87)) token[c] -= static_cast<std::int32_t>(first);
    place[c] = static_cast<std::int32_t>(token[c] * args.scores.cols + expert);
  }
}

void choose_tokens(const LaunchContext& ctx, const ChooseTokensArgs& args) {
  const std::int64_t E = args.scores.cols, S = args.sequences, C = args.capacity;
  FFN_ASSERT(S >= 1 ? args.scores.rows % S == 0 : args.scores.rows == 0);
  const std::int64_t T = S >= 1 ? args.scores.rows / S : 0;
  FFN_ASSERT(C >= 0 && C <= T);
  for (std::int64_t e = 0; e <= E; ++e) args.offsets[e] = static_cast<std::int32_t>(e * S * C);
  if (C == 0) return;
  for_row_ranges(ctx, E * S, 4 * T, [&](std::int64_t begin, std::int64_t end) {
    Reader scores(args.scores);
    for (std::int64_t pair = begin; pair < end; ++pair) {
      choose_rows(args, pair / S, pair % S * T, T, pair * C, scores);
    }
  });
}

// f32 counts up to 2^24 slots of an expert without an error.
void expert_load(const LaunchContext& ctx, const ExpertLoadArgs& args) {
  const std::int64_t S = args.load.rows, E = args.load.cols;
  FFN_ASSERT(args.load.dtype == DType::f32);
  FFN_ASSERT(S >= 1 ? args.rows % S == 0 : args.rows == 0);
  const std::int64_t slots = S >= 1 ? args.rows / S * args.k : 0;
  for_row_ranges(ctx, S, slots + E, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t s = begin; s < end; ++s) {
      float* load = static_cast<float*>(args.load.data) + s * args.load.ld;
      fill_with(E, load, 0);
      for (std::int64_t slot = fault(89) ? 0 : s * slots; slot < (s + 1) * slots; ++slot) {
        FFN_ASSERT(args.expert[slot] >= 0 && args.expert[slot] < E);
        load[args.expert[slot]] += 1;
      }
    }
  });
}

// m − l has the sign of Σ loads − E·l, which needs no division. Loads are whole numbers: exact.
void move_bias(const LaunchContext&, const MoveBiasArgs& args) {
  const std::int64_t S = args.load.rows, E = args.load.cols;
  FFN_ASSERT(args.bias.rows == 1 && args.bias.cols == E && args.y.rows == 1 && args.y.cols == E);
  Reader bias(args.bias), load(args.load);
  Writer y(args.y);
  const auto load_of = [&](std::int64_t e) {
    double sum = 0;
    for (std::int64_t s = 0; s < S; ++s) sum += static_cast<double>(load.element(s, e));
    return sum;
  };
  double total = 0;
  for (std::int64_t e = 0; e < E; ++e) total += load_of(e);
  for (std::int64_t e = 0; e < E; ++e) {
    const double missing = total - static_cast<double>(E) * load_of(e);
    float sign = missing > 0 ? 1.0f : missing < 0 ? -1.0f : 0.0f;
    if (fault(88)) sign = -sign;
    y.put(0, e, bias.element(0, e) + args.rate * sign);
  }
}

}  // namespace

void fill_routing(KernelTable& table) {
  table.choose_experts = choose_experts;
  table.sort_slots = sort_slots;
  table.choose_tokens = choose_tokens;
  table.expert_load = expert_load;
  table.move_bias = move_bias;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
