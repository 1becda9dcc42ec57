// A packed weight prepared from a mapped file: the frozen weight lies in a file, is packed piece by
// piece into a ledger-charged buffer, and is read from there; a trainable head follows.
//   y = gelu(x·Wᵀ)·Hᵀ;  W [H, D] f32 in a mapped file
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "contract/hard_case.h"
#include "ffn/autograd/prepared.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/linear.h"
#include "ffn/tensor/mapped.h"

namespace ffn::contract {
namespace {

constexpr std::int64_t N = 6, D = 24, H = 37, C = 4;

class MappedPacked final : public HardCase {
 public:
  void build(Executor& ex, DType compute) override {
    x_ = input(ex, "x", {N, D}, compute);
    targets_ = indices(ex, {0, 1, 2, 3, 0, 1});
    const Tensor weight(mapped_storage(weight_file()), {{H, D}, DType::f32, Role::parameter});
    parameters.add_frozen("up", weight);
    parameters.add("down", {C, H});
    finalize(ex, compute);
  }

  Value loss(Executor& ex) override {
    const Parameter& up = parameters.at("up");
    const Tensor packed = prepared_.packed(ex, up, ProductForm::nt);
    const auto body = [&, packed](Executor& inner, std::span<const Value> in) -> Values {
      return {gelu(inner, linear(inner, in[0], inner.constant(up.value), {}, packed))};
    };
    const Values h = ex.segment({ex.constant(x_)}, body);
    return cross_entropy(ex, linear(ex, h[0], ex.parameter(parameters.at("down"))), targets_);
  }

 private:
  // The same bytes for every device; the name is gone as soon as the file is mapped.
  static std::shared_ptr<const MappedFile> weight_file() {
    const auto path =
        std::filesystem::temp_directory_path() / ("ffn-mapped-packed-" + std::to_string(getpid()));
    std::vector<float> values(H * D);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(RandomStream(3, "up").normal(0, i));
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(values.size() * sizeof(float)));
    auto file = std::make_shared<MappedFile>(path.string());
    std::filesystem::remove(path);
    return file;
  }

  Tensor x_, targets_;
  PreparedWeights prepared_;
};

}  // namespace

std::unique_ptr<HardCase> mapped_packed() { return std::make_unique<MappedPacked>(); }

}  // namespace ffn::contract
