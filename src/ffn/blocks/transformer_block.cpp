#include "ffn/blocks/transformer_block.h"

#include <utility>

#include "ffn/base/error.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/drop_path.h"

namespace ffn::inline v0 {

TransformerBlock::TransformerBlock(ParameterSet& parameters, const TransformerBlockNames& names,
                                   const TransformerBlockConfig& config,
                                   const DesignRegistry& designs)
    : form_(config.form),
      norm_before_(parameters, names.norm_before, config.attention.width, config.norm),
      attention_(parameters, names.attention, config.attention),
      rule_(designs.at(config.feed_forward.design).block),
      feed_forward_(designs.build(config.feed_forward, config.site, parameters)),
      drop_path_(config.drop_path),
      drop_streams_{config.drop_streams[0], config.drop_streams[1]} {
  check(form_ == BlockForm::sequential || rule_.norm, ErrorKind::config, "block", "'",
        to_string(config.feed_forward), "' reads its input without a norm; a ",
        form_ == BlockForm::parallel ? "parallel" : "post-norm",
        " block has one for both branches");
  const auto add_norm = [&](std::optional<NormLayer>& norm, const std::string& name) {
    norm.emplace(parameters, name, config.attention.width, config.norm);
  };
  if (form_ != BlockForm::parallel && rule_.norm) add_norm(norm_after_, names.norm_after);
  if (!names.norm_of_attention.empty()) add_norm(norm_of_attention_, names.norm_of_attention);
  if (!names.norm_of_feed_forward.empty())
    add_norm(norm_of_feed_forward_, names.norm_of_feed_forward);
}

Value TransformerBlock::forward(Executor& ex, Value x, std::int64_t sequences) const {
  Values inputs;
  inputs.push_back(std::move(x));
  Values outputs =
      ex.segment(std::move(inputs), [this, sequences](Executor& inner, std::span<const Value> in) {
        Values out;
        out.push_back(run(inner, in[0], sequences, [&](Executor& e, const Value& rows) {
          return attention_.forward(e, rows, sequences);
        }));
        return out;
      });
  return std::move(outputs[0]);
}

Value TransformerBlock::forward_packed(Executor& ex, const Value& x, const Tensor& offsets) const {
  return run(ex, x, 1, [&](Executor& e, const Value& rows) {
    return attention_.forward_packed(e, rows, offsets);
  });
}

Value TransformerBlock::extend(Executor& ex, const Value& x, AttentionCache& cache,
                               std::int64_t position) const {
  return run(ex, x, 1, [&](Executor& e, const Value& rows) {
    return attention_.extend(e, rows, cache, position);
  });
}

Value TransformerBlock::run(Executor& ex, const Value& x, std::int64_t sequences,
                            const Attend& attend) const {
  switch (form_) {
    case BlockForm::sequential: return sequential(ex, x, sequences, attend);
    case BlockForm::parallel: return parallel(ex, x, sequences, attend);
    case BlockForm::post_norm: break;
  }
  return post_norm(ex, x, sequences, attend);
}

Value TransformerBlock::sequential(Executor& ex, const Value& x, std::int64_t sequences,
                                   const Attend& attend) const {
  Value mixed = attended(ex, norm_before_.forward(ex, x), attend);
  const Value h = add_branch(ex, x, std::move(mixed), 0, sequences);
  Value branch = changed(ex, norm_after_ ? norm_after_->forward(ex, h) : h, sequences);
  return add_branch(ex, h, std::move(branch), 1, sequences);
}

Value TransformerBlock::parallel(Executor& ex, const Value& x, std::int64_t sequences,
                                 const Attend& attend) const {
  const Value n = norm_before_.forward(ex, x);
  Value h = add_branch(ex, x, attended(ex, n, attend), 0, sequences);
  return add_branch(ex, std::move(h), changed(ex, n, sequences), 1, sequences);
}

Value TransformerBlock::post_norm(Executor& ex, const Value& x, std::int64_t sequences,
                                  const Attend& attend) const {
  Value sum = add_branch(ex, x, attended(ex, x, attend), 0, sequences);
  const Value h = norm_before_.forward(ex, std::move(sum));
  sum = add_branch(ex, h, changed(ex, h, sequences), 1, sequences);
  return norm_after_->forward(ex, std::move(sum));
}

Value TransformerBlock::attended(Executor& ex, const Value& x, const Attend& attend) const {
  Value mixed = attend(ex, x);
  return norm_of_attention_ ? norm_of_attention_->forward(ex, std::move(mixed)) : mixed;
}

Value TransformerBlock::changed(Executor& ex, Value x, std::int64_t sequences) const {
  Value branch = feed_forward_->forward(ex, std::move(x), sequences);
  return norm_of_feed_forward_ ? norm_of_feed_forward_->forward(ex, std::move(branch)) : branch;
}

// The branch comes first: its buffer becomes the sum's.
Value TransformerBlock::add_branch(Executor& ex, Value x, Value branch, int index,
                                   std::int64_t sequences) const {
  if (index == 0 || rule_.drop_path)
    branch = drop_path(ex, std::move(branch), drop_path_, drop_streams_[index], sequences);
  return add(ex, std::move(branch), std::move(x));
}

}  // namespace ffn::inline v0
