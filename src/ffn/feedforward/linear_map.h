// The linear maps of a design, as its site wants them: whole, a product of two, one per expert, or
// frozen with low-rank experts beside them. A design says what it maps, not how.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ffn/feedforward/feed_forward.h"
#include "ffn/feedforward/moe/lora_map.h"

namespace ffn::inline v0 {

// y = x·Wᵀ + b, "<part>.weight" [out, in] and, where the site has biases, "<part>.bias" [out].
//   rank R > 0      y = (x·Aᵀ)·Bᵀ + b with "<part>.a.weight" [R, in], "<part>.b.weight" [out, R]
//   and
//                   "<part>.b.bias". Entries of B·A start with the standard deviation that the
//                   site gives those of W.
//   experts E > 0   the same per expert over its rows (TokenRows::expert_offsets): W [E·out, in], b
//                   [E, out], A [E·R, in], B [E·out, R]; in a file one matrix per expert, under
//                   FeedForwardSite::expert_name
//   lora            W and b are frozen and LoraMap's sum is added
class LinearMap {
 public:
  LinearMap(ParameterSet& parameters, const FeedForwardSite& site, std::string_view part,
            std::int64_t out, std::int64_t in);
  Value forward(Executor& ex, Value x, const TokenRows& rows = 1) const;

  // One matrix and its bias, all experts' together, and nothing beside them.
  bool whole() const { return !second_ && !lora_; }
  Value weight(Executor& ex) const { return ex.parameter(*first_.weight); }
  const Parameter& weight_parameter() const { return *first_.weight; }
  Value bias(Executor& ex) const {
    return first_.bias == nullptr ? Value() : ex.parameter(*first_.bias);
  }

 private:
  struct Factor {
    Parameter* weight = nullptr;
    Parameter* bias = nullptr;  // null: none
  };
  struct FactorShape {
    std::string_view part, suffix;
    std::int64_t out, in;
    bool bias;
    Init init;
  };
  static Factor add_factor(ParameterSet& parameters, const FeedForwardSite& site,
                           const FactorShape& shape);
  Value apply(Executor& ex, const Factor& factor, Value x, const TokenRows& rows) const;

  std::int64_t experts_;
  Factor first_;
  std::optional<Factor> second_;  // B
  std::optional<LoraMap> lora_;
};

// "up", "gate" [H, D] or "down" [D, H] with a bias as the site has it. Errors: config when the
// site's rank exceeds a side.
LinearMap add_linear(ParameterSet& parameters, const FeedForwardSite& site, std::string_view part,
                     std::int64_t out, std::int64_t in);

// Parameters of such a map, of one expert where there are some, bias included, and its flops for
// one token. Errors: config as above.
std::int64_t linear_parameters(const FeedForwardSite& site, std::int64_t out, std::int64_t in);
std::int64_t linear_flops(const FeedForwardSite& site, std::int64_t out, std::int64_t in);

}  // namespace ffn::inline v0
