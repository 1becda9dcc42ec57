#include "ffn/blocks/transformer_block.h"

#include "ffn/ops/arithmetic.h"
#include "ffn/ops/drop_path.h"

namespace ffn::inline v0 {

TransformerBlock::TransformerBlock(ParameterSet& parameters, const TransformerBlockNames& names,
                                   const TransformerBlockConfig& config,
                                   const DesignRegistry& designs)
    : norm_before_(parameters, names.norm_before, config.attention.width, config.norm_eps),
      attention_(parameters, names.attention, config.attention),
      rule_(designs.at(config.feed_forward.design).block),
      feed_forward_(designs.build(config.feed_forward, config.site, parameters)),
      drop_path_(config.drop_path),
      drop_streams_{config.drop_streams[0], config.drop_streams[1]} {
  if (rule_.norm)
    norm_after_.emplace(parameters, names.norm_after, config.attention.width, config.norm_eps);
}

Value TransformerBlock::forward(Executor& ex, Value x, std::int64_t sequences) const {
  Values inputs;
  inputs.push_back(std::move(x));
  Values outputs =
      ex.segment(std::move(inputs), [this, sequences](Executor& inner, std::span<const Value> in) {
        Values out;
        out.push_back(body(inner, in[0], sequences));
        return out;
      });
  return std::move(outputs[0]);
}

Value TransformerBlock::body(Executor& ex, const Value& x, std::int64_t sequences) const {
  Value mixed = attention_.forward(ex, norm_before_.forward(ex, x), sequences);
  const Value h = add_branch(ex, x, std::move(mixed), 0, sequences);
  Value changed =
      feed_forward_->forward(ex, norm_after_ ? norm_after_->forward(ex, h) : h, sequences);
  return add_branch(ex, h, std::move(changed), 1, sequences);
}

// The branch comes first: its buffer becomes the sum's.
Value TransformerBlock::add_branch(Executor& ex, Value x, Value branch, int index,
                                   std::int64_t sequences) const {
  if (index == 0 || rule_.drop_path)
    branch = drop_path(ex, std::move(branch), drop_path_, drop_streams_[index], sequences);
  return add(ex, std::move(branch), std::move(x));
}

}  // namespace ffn::inline v0
