#include "ffn/models/placed_weights.h"

#include <cstring>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/ledger.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/indexing.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {
namespace {

// The entries of one parameter, in the order of its rows.
struct Entries {
  std::vector<const StoredWeight*> stored;
  std::vector<const NamedTensor*> tensors;
};

bool linear_reads(DType dtype) {
  return dtype == DType::f32 || dtype == DType::bf16 || dtype == DType::f16 || is_block(dtype);
}

bool is_aligned(const Tensor& tensor) {
  return is_block(tensor.dtype()) || tensor.offset_bytes() % dtype_bytes(tensor.dtype(), 1) == 0;
}

// In one type that products read.
bool keeps_type(const Parameter& parameter, const Entries& entries) {
  if (parameter.options.full_precision || parameter.shape.rank() != 2) return false;
  const DType first = entries.tensors[0]->tensor.dtype();
  if (!linear_reads(first)) return false;
  for (std::size_t i = 0; i < entries.tensors.size(); ++i) {
    if (entries.tensors[i]->tensor.dtype() != first) return false;
    if (entries.stored[i]->transposed && is_block(first)) return false;
    if (entries.tensors[i]->shape.size() != 2) return false;  // biases of experts
  }
  return true;
}

// What has been copied need not stay in memory twice: the file's pages go.
void give_back(const Tensor& read) {
  read.storage()->discard(read.offset_bytes(), read.spec().bytes());
}

// Blocks and whole rows are bytes; a transposed matrix is read and written by its elements.
void copy_entry(const StoredWeight& stored, const Tensor& from, const Tensor& to) {
  if (!stored.transposed) {
    std::memcpy(to.data(), from.data(), static_cast<std::size_t>(from.spec().bytes()));
    return;
  }
  const std::size_t size = static_cast<std::size_t>(dtype_bytes(from.dtype(), 1));
  const auto rows = static_cast<std::size_t>(from.rows()),
             cols = static_cast<std::size_t>(from.cols());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < cols; ++c)
      std::memcpy(to.data() + (c * rows + r) * size, from.data() + (r * cols + c) * size, size);
}

Tensor copied(Executor& ex, const Parameter& parameter, const Entries& entries) {
  const DType dtype = entries.tensors[0]->tensor.dtype();
  const Tensor made =
      ex.allocate_persistent({parameter.shape, dtype, Role::parameter}, Tag::parameters);
  if (ex.dry()) return made;
  for (std::size_t i = 0; i < entries.stored.size(); ++i) {
    const StoredWeight& stored = *entries.stored[i];
    const Tensor to = stored.rows == 0 ? made : made.slice_rows(stored.row, stored.rows);
    copy_entry(stored, entries.tensors[i]->tensor, to);
    give_back(entries.tensors[i]->tensor);
  }
  return made;
}

Tensor converted(Executor& ex, const Parameter& parameter, const Entries& entries, DType dtype) {
  const Tensor made =
      ex.allocate_persistent({parameter.shape, dtype, Role::parameter}, Tag::parameters);
  if (ex.dry()) return made;
  for (std::size_t i = 0; i < entries.stored.size(); ++i) {
    const StoredWeight& stored = *entries.stored[i];
    const Tensor to = stored.rows == 0 ? made : made.slice_rows(stored.row, stored.rows);
    std::vector<double> values = values_of(entries.tensors[i]->tensor);
    check(!stored.transposed, ErrorKind::io, stored.name, "holds ", entries.tensors[i]->dtype_name,
          ", which cannot be transposed; expected F32, BF16 or F16");
    set_host_values(to, values);
    give_back(entries.tensors[i]->tensor);
  }
  return made;
}

}  // namespace

PlacedBytes place_weights(Executor& ex, const WeightFile& file,
                          std::span<const StoredWeight> stored, ParameterSet& parameters,
                          DType compute, HarmlessNames harmless) {
  std::map<Parameter*, Entries> all;
  std::set<std::string> used;
  for (const StoredWeight& weight : stored) {
    const NamedTensor& tensor = file.at(weight);
    used.insert(tensor.name);
    if (weight.parameter == nullptr) continue;  // a state is filled after finalize()
    Entries& entries = all[weight.parameter];
    entries.stored.push_back(&weight);
    entries.tensors.push_back(&tensor);
  }
  file.check_used(used, harmless);
  PlacedBytes bytes;
  for (auto& [parameter, entries] : all) {
    const Tensor& first = entries.tensors[0]->tensor;
    const bool keeps = keeps_type(*parameter, entries);
    const bool lies = keeps && entries.stored.size() == 1 && !entries.stored[0]->transposed &&
                      entries.stored[0]->rows == 0 && is_aligned(first);
    const Tensor placed = lies    ? first
                          : keeps ? copied(ex, *parameter, entries)
                                  : converted(ex, *parameter, entries, gradient_dtype(compute));
    if (lies) bytes.mapped += placed.spec().bytes();
    if (!lies) bytes.copied += charged_bytes(placed.spec().bytes());
    parameters.place(*parameter, placed);
  }
  return bytes;
}

Value table_rows(Executor& ex, Parameter& table, const Tensor& ids, DType dtype) {
  const Tensor& rows = table.value;
  if (rows.dtype() == dtype || rows.dtype() == DType::bf16)
    return cast(ex, gather_rows(ex, ex.parameter(table), ids), dtype);
  const std::int64_t N = ids.shape().count();
  const Tensor made = ex.allocate({{N, rows.cols()}, dtype, Role::activation});
  if (ex.dry()) return ex.constant(made);
  const std::span<const std::int32_t> wanted = host_span<std::int32_t>(ids);
  for (std::int64_t n = 0; n < N; ++n) {
    const std::int64_t id = wanted[static_cast<std::size_t>(n)];
    check(id >= 0 && id < rows.rows(), ErrorKind::shape, "table_rows", "id ", id, " of a table ",
          rows.shape());
    set_host_values(made.slice_rows(n, 1), values_of(rows.slice_rows(id, 1)));
  }
  return ex.constant(made);
}

}  // namespace ffn::inline v0
