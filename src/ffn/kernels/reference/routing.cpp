// The choice of experts and of tokens, the slots that follow from it, and the balance of load. What
// is compared is the real part: a choice has no derivative.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ffn/base/faults.h"
#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The order of every choice: falling value, then rising index.
struct Ranked {
  double value;
  std::int64_t index;
};
// Stands before everything that is chosen, and behind it.
constexpr Ranked kFront{kInfinity, -1};
constexpr Ranked kBack{-kInfinity, std::numeric_limits<std::int64_t>::max()};

bool before(const Ranked& a, const Ranked& b) {
  const bool tie_first = fault(22) ? a.index > b.index : a.index < b.index;
  return a.value > b.value || (a.value == b.value && tie_first);
}

double not_nan(double value) { return std::isnan(value) ? -kInfinity : value; }

// The first of value(i), i in [begin, end) with candidate(i), that comes after `last`.
template <class Candidate, class Value>
Ranked next(std::int64_t begin, std::int64_t end, const Ranked& last, const Candidate& candidate,
            const Value& value) {
  Ranked best = kBack;
  for (std::int64_t i = begin; i < end; ++i) {
    const Ranked here{value(i), i};
    if (candidate(i) && before(last, here) && before(here, best)) best = here;
  }
  return best;
}

constexpr auto kAny = [](std::int64_t) { return true; };

// One row: the sums that choose, and which groups of experts are looked into.
template <class Sum>
class Row {
 public:
  Row(const ChooseExpertsArgs& args, const Sum& sum)
      : args_(args), sum_(sum), group_size_(args.scores.cols / args.groups) {}

  double group_score(std::int64_t group) const {
    const std::int64_t begin = group * group_size_;
    Ranked last = kFront;
    double total = 0;
    for (std::int64_t term = 0; term < args_.group_terms; ++term) {
      last = next(begin, begin + group_size_, last, kAny, sum_);
      total += last.value;
    }
    return not_nan(total);
  }

  // Calls take(k, expert) for the choices in their order.
  template <class Take>
  void choose(const Take& take) const {
    const bool all_groups = args_.top_groups == args_.groups;
    const auto score = [&](std::int64_t group) { return group_score(group); };
    Ranked worst_group = kFront;
    for (std::int64_t i = 0; i < args_.top_groups && !all_groups; ++i) {
      worst_group = next(0, args_.groups, worst_group, kAny, score);
    }
    const auto looked_into = [&](std::int64_t expert) {
      if (all_groups) return true;
      const std::int64_t group = expert / group_size_;
      return !before(worst_group, {group_score(group), group});
    };
    Ranked last = kFront;
    for (std::int64_t k = 0; k < args_.k; ++k) {
      last = next(0, args_.scores.cols, last, looked_into, sum_);
      take(k, last.index);
    }
  }

 private:
  const ChooseExpertsArgs& args_;
  const Sum& sum_;
  std::int64_t group_size_;
};

void choose_experts(const LaunchContext&, const ChooseExpertsArgs& args) {
  const std::int64_t N = args.scores.rows, E = args.scores.cols, K = args.k;
  FFN_ASSERT(args.groups >= 1 && E % args.groups == 0);
  FFN_ASSERT(args.top_groups >= 1 && args.top_groups <= args.groups);
  FFN_ASSERT(args.group_terms >= 1 && args.group_terms <= E / args.groups);
  FFN_ASSERT(K >= 1 && K <= args.top_groups * (E / args.groups));
  with_compute_type({args.scores.dtype, args.bias.dtype}, [&]<class T>() {
    const Input<T> scores(args.scores), bias(args.bias);
    for (std::int64_t row = 0; row < N; ++row) {
      const auto sum = [&](std::int64_t expert) {
        return not_nan(real_part(scores(row, expert) + bias.get_or(0, expert, 0)));
      };
      const auto take = [&](std::int64_t k, std::int64_t expert) {
        args.expert[row * K + k] = static_cast<std::int32_t>(expert);
        args.place[row * K + k] = static_cast<std::int32_t>(row * E + expert);
      };
      if (args.given == nullptr) {
        Row(args, sum).choose(take);
      } else {
        for (std::int64_t k = 0; k < K; ++k) take(k, args.given[row * K + k]);
      }
    }
  });
}

void sort_slots(const LaunchContext&, const SortSlotsArgs& args) {
  const std::int64_t slots = args.rows * args.k, C = args.capacity;
  std::int64_t position = 0;
  const auto put = [&](std::int64_t slot) {
    args.order[position] = static_cast<std::int32_t>(slot);
    args.token[position] = static_cast<std::int32_t>(slot < 0 ? -1 : slot / args.k);
    ++position;
  };
  for (std::int64_t e = 0; e < args.experts; ++e) {
    const std::int64_t begin = position;
    args.offsets[e] = static_cast<std::int32_t>(begin);
    for (std::int64_t slot = 0; slot < slots; ++slot) {
      FFN_ASSERT(args.expert[slot] >= 0 && args.expert[slot] < args.experts);
      const bool room = C == 0 || position < begin + C;
      if (args.expert[slot] == e && room) put(slot);
    }
    while (position < begin + C) put(-1);
  }
  args.offsets[args.experts] = static_cast<std::int32_t>(position);
}

void choose_tokens(const LaunchContext&, const ChooseTokensArgs& args) {
  const std::int64_t E = args.scores.cols, S = args.sequences, C = args.capacity;
  FFN_ASSERT(S >= 1 ? args.scores.rows % S == 0 : args.scores.rows == 0);
  const std::int64_t T = S >= 1 ? args.scores.rows / S : 0;
  FFN_ASSERT(C >= 0 && C <= T);
  with_compute_type({args.scores.dtype}, [&]<class Compute>() {
    const Input<Compute> scores(args.scores);
    for (std::int64_t pair = 0; pair < E * S; ++pair) {
      const std::int64_t e = pair / S, begin = pair % S * T;
      const auto score = [&](std::int64_t row) { return not_nan(real_part(scores(row, e))); };
      Ranked last = kFront;
      for (std::int64_t c = 0; c < C; ++c) {
        last = next(begin, begin + T, last, kAny, score);
        args.token[pair * C + c] = static_cast<std::int32_t>(last.index);
        args.place[pair * C + c] = static_cast<std::int32_t>(last.index * E + e);
      }
    }
  });
  for (std::int64_t e = 0; e <= E; ++e) args.offsets[e] = static_cast<std::int32_t>(e * S * C);
}

void expert_load(const LaunchContext&, const ExpertLoadArgs& args) {
  const std::int64_t S = args.load.rows, E = args.load.cols;
  FFN_ASSERT(S >= 1 ? args.rows % S == 0 : args.rows == 0);
  const std::int64_t slots = S >= 1 ? args.rows / S * args.k : 0;
  with_compute_type({args.load.dtype}, [&]<class T>() {
    const Output<T> load(args.load);
    for (std::int64_t s = 0; s < S; ++s) {
      const std::int32_t* expert = args.expert + s * slots;
      for (std::int64_t e = 0; e < E; ++e) {
        load.put(s, e, T(static_cast<double>(std::count(expert, expert + slots, e))));
      }
    }
  });
}

// m − l has the sign of Σ loads − E·l, which needs no division.
void move_bias(const LaunchContext&, const MoveBiasArgs& args) {
  const std::int64_t S = args.load.rows, E = args.load.cols;
  FFN_ASSERT(args.bias.rows == 1 && args.bias.cols == E && same_shape(args.bias, args.y));
  with_compute_type({args.bias.dtype, args.load.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> bias(args.bias), load(args.load);
    const Output<T> y(args.y);
    const auto load_of = [&](std::int64_t e) {
      double sum = 0;
      for (std::int64_t s = 0; s < S; ++s) sum += real_part(load(s, e));
      return sum;
    };
    double total = 0;
    for (std::int64_t e = 0; e < E; ++e) total += load_of(e);
    for (std::int64_t e = 0; e < E; ++e) {
      const double missing = total - static_cast<double>(E) * load_of(e);
      const double sign = missing > 0 ? 1 : missing < 0 ? -1 : 0;
      y.put(0, e, bias(0, e) + static_cast<double>(args.rate) * sign);
    }
  });
}

}  // namespace

void add_routing_kernels(KernelTable& table) {
  table.choose_experts = choose_experts;
  table.sort_slots = sort_slots;
  table.choose_tokens = choose_tokens;
  table.expert_load = expert_load;
  table.move_bias = move_bias;
}

}  // namespace ffn::inline v0::kernels::reference
