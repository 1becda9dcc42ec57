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
        to_string(config.feed_forward), "' reads its input without a norm; a parallel block has ",
        "one for both branches");
  if (form_ == BlockForm::sequential && rule_.norm)
    norm_after_.emplace(parameters, names.norm_after, config.attention.width, config.norm);
}

Value TransformerBlock::forward(Executor& ex, Value x, std::int64_t sequences) const {
  Values inputs;
  inputs.push_back(std::move(x));
  Values outputs =
      ex.segment(std::move(inputs), [this, sequences](Executor& inner, std::span<const Value> in) {
        Values out;
        out.push_back(form_ == BlockForm::sequential ? sequential(inner, in[0], sequences)
                                                     : parallel(inner, in[0], sequences));
        return out;
      });
  return std::move(outputs[0]);
}

Value TransformerBlock::sequential(Executor& ex, const Value& x, std::int64_t sequences) const {
  Value mixed = attention_.forward(ex, norm_before_.forward(ex, x), sequences);
  const Value h = add_branch(ex, x, std::move(mixed), 0, sequences);
  Value changed =
      feed_forward_->forward(ex, norm_after_ ? norm_after_->forward(ex, h) : h, sequences);
  return add_branch(ex, h, std::move(changed), 1, sequences);
}

Value TransformerBlock::parallel(Executor& ex, const Value& x, std::int64_t sequences) const {
  const Value n = norm_before_.forward(ex, x);
  Value mixed = attention_.forward(ex, n, sequences);
  Value h = add_branch(ex, x, std::move(mixed), 0, sequences);
  return add_branch(ex, std::move(h), feed_forward_->forward(ex, n, sequences), 1, sequences);
}

// The branch comes first: its buffer becomes the sum's.
Value TransformerBlock::add_branch(Executor& ex, Value x, Value branch, int index,
                                   std::int64_t sequences) const {
  if (index == 0 || rule_.drop_path)
    branch = drop_path(ex, std::move(branch), drop_path_, drop_streams_[index], sequences);
  return add(ex, std::move(branch), std::move(x));
}

}  // namespace ffn::inline v0
