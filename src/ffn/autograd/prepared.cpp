#include "ffn/autograd/prepared.h"

#include <algorithm>

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

// Source bytes packed before the mapped pages are given back: bounds resident memory to the packed
// form plus this.
constexpr std::int64_t kPieceBytes = std::int64_t{4} << 20;

void pack_in_pieces(Executor& executor, const Tensor& weight, kernels::ProductForm form, DType x,
                    const Tensor& packed) {
  const kernels::KernelTable& kernels = *executor.device().kernels;
  const bool by_rows = form == kernels::ProductForm::nt;
  const std::int64_t outputs = by_rows ? weight.rows() : weight.cols();
  const std::int64_t row_bytes = dtype_bytes(weight.dtype(), weight.ld());
  const std::int64_t granularity = kernels.pack_granularity();
  std::int64_t piece = outputs;
  if (by_rows && row_bytes > 0) {
    const std::int64_t rows = std::max<std::int64_t>(1, kPieceBytes / row_bytes);
    piece = (rows + granularity - 1) / granularity * granularity;
  }
  for (std::int64_t begin = 0; begin < outputs; begin += piece) {
    const std::int64_t end = std::min(outputs, begin + piece);
    kernels.pack_b({executor.device().threads, nullptr, 0},
                   {form, weight.matrix(), packed.data(), begin, end, x});
    if (by_rows) {
      weight.storage()->discard(weight.offset_bytes() + begin * row_bytes,
                                (end - begin) * row_bytes);
    }
  }
  if (!by_rows) weight.storage()->discard(weight.offset_bytes(), weight.rows() * row_bytes);
}

// Packs a layer into new memory; undefined where the device has no such form.
Tensor pack_whole_layer(Executor& executor, const PreparedWeights::Layer& layer) {
  const kernels::KernelTable& kernels = *executor.device().kernels;
  const Tensor &up = layer.up->value, &down = layer.down->value;
  const kernels::ExpertLayerShape shape{
      0,       up.cols(), up.rows() / layer.experts, layer.experts, layer.gate != nullptr,
      layer.x, up.dtype()};
  const std::int64_t bytes = kernels.packed_layer_bytes(shape);
  if (bytes == 0) return {};
  Tensor packed =
      executor.allocate_persistent({{bytes}, DType::u8, Role::parameter}, Tag::prepared);
  if (executor.dry()) return packed;
  kernels::PackLayerArgs args;
  if (layer.gate != nullptr) args.gate = layer.gate->value.matrix();
  args.up = up.matrix();
  args.down = down.matrix();
  args.experts = layer.experts;
  args.x = layer.x;
  args.packed = packed.data();
  kernels.pack_layer({executor.device().threads, nullptr, 0}, args);
  return packed;
}

}  // namespace

Tensor PreparedWeights::packed_layer(Executor& executor, const Layer& layer) {
  const std::uint64_t versions =
      layer.up->version + layer.down->version + (layer.gate != nullptr ? layer.gate->version : 0);
  const auto found = std::ranges::find_if(
      layers_, [&](const LayerEntry& entry) { return entry.up == layer.up && entry.x == layer.x; });
  if (found != layers_.end()) {
    if (found->versions == versions) return found->packed;
    layers_.erase(found);
  }
  layers_.push_back({layer.up, layer.x, versions, pack_whole_layer(executor, layer)});
  return layers_.back().packed;
}

const Tensor& PreparedWeights::packed(Executor& executor, const Parameter& parameter,
                                      kernels::ProductForm form, DType x) {
  check(form != kernels::ProductForm::tn, ErrorKind::config, "prepared",
        "a weight is only read by nt and nn products");
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.parameter == &parameter && entry.form == form && entry.x == x;
  });
  if (found != entries_.end()) {
    if (found->version == parameter.version) return found->packed;
    entries_.erase(found);  // before the new one is made: both are never held at once
  }
  const Tensor& weight = parameter.value;
  const std::int64_t bytes = executor.device().kernels->packed_b_bytes(form, weight.matrix(), x);
  Tensor packed =
      executor.allocate_persistent({{bytes}, DType::u8, Role::parameter}, Tag::prepared);
  if (!executor.dry()) pack_in_pieces(executor, weight, form, x, packed);
  entries_.push_back({&parameter, form, x, parameter.version, std::move(packed)});
  return entries_.back().packed;
}

}  // namespace ffn::inline v0
