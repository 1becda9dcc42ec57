// Looks on while a model's routers choose, and counts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/autograd/executor.h"
#include "ffn/models/model_config.h"
#include "ffn/train/expert_health.h"

namespace ffn::inline v0 {

// The taps of the model's feed-forward layers (FeedForward::taps()). Errors: config.
std::vector<std::string> feed_forward_taps(const ModelConfig& config,
                                           const DesignRegistry& designs);

// Sets taps that read and never replace: it allocates no tensor and changes no number. Of a model
// without routers it sets none. A router is a tap "router" or "<part>.router" [N, E]: logits where
// there is a tap "<part>.dispatch" beside it, else the weights of all experts. With "choice" tokens
// choose experts, without it experts choose tokens. On a dry device nothing is counted.
// Host memory: E numbers a router. Time: 6 ns a token and expert, on one thread.
class ExpertWatch {
 public:
  // `taps`: what the layers show. The executor must outlive this and have no taps of its own at
  // routers.
  ExpertWatch(Executor& ex, std::span<const std::string> taps);
  ~ExpertWatch();
  ExpertWatch(const ExpertWatch&) = delete;
  ExpertWatch& operator=(const ExpertWatch&) = delete;

  bool has_routers() const { return !routers_.empty(); }

  // Before every pass through the model: the layers that follow are counted from 0. Labels i32 of
  // sequences or of rows: where one is below 0 the batch was only filled up, and nothing is
  // counted. Undefined: every row counts.
  void begin_pass(const Tensor& labels = {});

  // Until the next take() also the first choices of the first `tokens` that count.
  void keep_choices(std::int64_t tokens);

  // What was counted since take() was called last, by layer; then begins anew. Routers that saw no
  // token are left out.
  std::vector<RouterHealth> take();

  // True when it is called for the first time for this router: a collapse is told once.
  bool first_collapse(const RouterPlace& place);

  // For checkpoints: the counts so far, and counting on from there.
  std::vector<RouterLoad> loads() const;
  void restore(const std::vector<RouterLoad>& loads);

 private:
  // One tap "router" and those beside it; one load per layer.
  struct Router {
    std::string part;
    bool has_choice = false, has_dispatch = false;
    std::int64_t passed = 0;  // layers of this pass so far
    std::vector<RouterLoad> layers;
    std::vector<std::vector<std::int32_t>> choices;  // likewise
  };

  void watch(Router& router, const std::string& prefix);
  void read_router(Router& router, const Tensor& values);
  void read_choice(Router& router, const Tensor& expert);
  void read_dispatch(Router& router, const Tensor& token);
  void read_tokens_of_experts(RouterLoad& load, std::span<const std::int32_t> tokens) const;
  RouterLoad& next_layer(Router& router, std::int64_t experts);
  void keep_choice(Router& router, std::int32_t expert) const;
  void count_rows(std::int64_t rows);
  std::size_t depth() const;  // layers that were seen

  Executor& ex_;
  std::vector<Router> routers_;
  std::vector<std::string> set_taps_;
  std::vector<std::int32_t> labels_;
  std::vector<char> counts_;  // of the rows of the router that was read last
  std::int64_t kept_tokens_ = 0;
};

}  // namespace ffn::inline v0
