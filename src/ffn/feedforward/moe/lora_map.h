// Low-rank experts beside one frozen linear map: what lora-moe adds to it.
#pragma once

#include <cstdint>
#include <string_view>

#include "ffn/feedforward/feed_forward.h"

namespace ffn::inline v0 {

// x [N, in] → (α/R)·Σ_e g_e·B_e·A_e·x [N, out], g = softmax(x·W_gᵀ) over all E experts: a dense
// router, no choice. W_g "<part>.router.weight" [E, in] (f32), A "<part>.lora_a.weight" [E·R, in],
// B "<part>.lora_b.weight" [out, E·R], experts side by side; A and W_g start uniform in ±1/√in, B
// as 0. Two products over all experts at once, the weights between them. Parameters E·(in + R·in +
// R·out), flops per token twice that. In training g also bears importance_loss().
// Tap: "<part>.router", g [N, E]. Source: Dou et al., LoRAMoE, 2023.
class LoraMap {
 public:
  LoraMap(ParameterSet& parameters, const FeedForwardSite& site, std::string_view part,
          std::int64_t out, std::int64_t in);
  Value forward(Executor& ex, const Value& x, const TokenRows& rows) const;

  static std::int64_t parameters(const LoraSite& lora, std::int64_t out, std::int64_t in);

 private:
  LoraSite lora_;
  std::string tap_;
  Parameter *router_, *a_, *b_;
};

}  // namespace ffn::inline v0
