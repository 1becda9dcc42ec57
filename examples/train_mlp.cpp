// Trains one feed-forward network, logits = W2·gelu(W1·x + b1) + b2, on Fashion-MNIST with the
// library: plans its memory before it runs, trains, and shows that the plan was right.
//
//   train_mlp [folder with the four IDX files] [epochs]
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "ffn/autograd/initialize.h"
#include "ffn/base/error.h"
#include "ffn/base/philox.h"
#include "ffn/base/timer.h"
#include "ffn/io/idx.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/linear.h"
#include "ffn/tensor/host.h"
#include "ffn/train/adamw.h"

namespace {

using namespace ffn;

constexpr std::int64_t kPixels = 784, kHidden = 512, kClasses = 10, kBatch = 128;
constexpr std::uint64_t kSeed = 1;

struct DataSet {
  IdxArray images, labels;
  std::size_t size() const { return labels.values.size(); }
};

DataSet load(const std::string& folder, const std::string& part) {
  DataSet data{read_idx(folder + "/" + part + "-images-idx3-ubyte.gz"),
               read_idx(folder + "/" + part + "-labels-idx1-ubyte.gz")};
  check(data.images.values.size() == data.size() * kPixels, ErrorKind::io, folder, "the ", part,
        " images are not ", data.size(), " pictures of ", kPixels, " pixels");
  return data;
}

struct Model {
  explicit Model(Executor& ex) {
    for (const auto& [name, out, in] :
         {std::tuple{"fc1", kHidden, kPixels}, std::tuple{"fc2", kClasses, kHidden}}) {
      parameters.add(std::string(name) + ".weight", {out, in});
      parameters.add(std::string(name) + ".bias", {out}, {.decay = false});
    }
    parameters.finalize(ex, DType::f32);
    initialize_normal(ex, parameters.at("fc1.weight"), kSeed, 0.04);
    initialize_normal(ex, parameters.at("fc2.weight"), kSeed, 0.04);
  }

  Value logits(Executor& ex, const Tensor& images) {
    const auto weight = [&](const char* name) { return ex.parameter(parameters.at(name)); };
    Value h = linear(ex, ex.constant(images), weight("fc1.weight"), weight("fc1.bias"));
    return linear(ex, gelu(ex, std::move(h)), weight("fc2.weight"), weight("fc2.bias"));
  }

  ParameterSet parameters;
};

// One batch in memory of its own, filled anew for every step.
struct Batch {
  explicit Batch(Executor& ex)
      : images(
            ex.allocate_persistent({{kBatch, kPixels}, DType::f32, Role::activation}, Tag::data)),
        labels(ex.allocate_persistent({{kBatch}, DType::i32, Role::activation}, Tag::data)) {}

  // Sample i of the batch is order[begin + i]; past the end of the data the label is −1 (ignored).
  void fill(const DataSet& data, const std::vector<std::uint32_t>& order, std::size_t begin) {
    const auto pixels = host_span<float>(images);
    const auto targets = host_span<std::int32_t>(labels);
    for (std::size_t i = 0; i < static_cast<std::size_t>(kBatch); ++i) {
      const bool present = begin + i < order.size();
      const std::size_t sample = present ? order[begin + i] : 0;
      targets[i] = present ? data.labels.values[sample] : -1;
      for (std::size_t p = 0; p < kPixels; ++p)
        pixels[i * kPixels + p] =
            static_cast<float>(data.images.values[sample * kPixels + p]) / 127.5f - 1.0f;
    }
  }

  Tensor images, labels;
};

// 0 … size − 1, shuffled by the random stream of this epoch (Fisher–Yates).
std::vector<std::uint32_t> shuffled(std::size_t size, std::uint64_t epoch) {
  std::vector<std::uint32_t> order(size);
  for (std::size_t i = 0; i < size; ++i) order[i] = static_cast<std::uint32_t>(i);
  const RandomStream stream(kSeed, "order");
  for (std::size_t i = size; i > 1; --i)
    std::swap(order[i - 1], order[stream.below(static_cast<std::uint32_t>(i), epoch, i)]);
  return order;
}

double train_step(Executor& ex, Model& model, AdamW& optimizer, const Batch& batch) {
  model.parameters.reset_gradients();
  const StepScope scope(ex);
  const Value loss = cross_entropy(ex, model.logits(ex, batch.images), batch.labels);
  ex.backward(loss);
  optimizer.step();
  return ex.dry() ? 0 : host_values(loss.tensor)[0];
}

double accuracy(Executor& ex, Model& model, Batch& batch, const DataSet& data) {
  std::vector<std::uint32_t> order(data.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
  const NoTape no_tape(ex);
  std::size_t right = 0;
  for (std::size_t begin = 0; begin < order.size(); begin += kBatch) {
    batch.fill(data, order, begin);
    const std::vector<double> logits = host_values(model.logits(ex, batch.images).tensor);
    const auto targets = host_span<std::int32_t>(batch.labels);
    for (std::size_t i = 0; i < targets.size() && targets[i] >= 0; ++i) {
      const auto row = logits.begin() + static_cast<std::ptrdiff_t>(i * kClasses);
      const auto best = std::max_element(row, row + kClasses) - row;
      right += best == targets[i] ? 1 : 0;
    }
  }
  return static_cast<double>(right) / static_cast<double>(data.size());
}

// The whole set-up on a dry device: what two steps will need, before any data is read.
PlanReport plan(const Device& device) {
  Executor ex(dry_device(device));
  Model model(ex);
  AdamW optimizer(ex, model.parameters, {});
  const Batch batch(ex);
  for (int step = 0; step < 2; ++step) train_step(ex, model, optimizer, batch);
  return ex.report();
}

void run(const std::string& folder, int epochs) {
  const auto threads = make_thread_pool(available_threads());
  const Device device = cpu_device(*threads);
  const PlanReport planned = plan(device);
  std::printf("device          %s, %d threads\n", std::string(device.name).c_str(),
              threads->size());
  std::printf("planned peak    %lld bytes, at %s\n", static_cast<long long>(planned.peak_bytes),
              planned.peak_where.c_str());

  const DataSet training = load(folder, "train"), test = load(folder, "t10k");
  Executor ex(device);
  Model model(ex);
  AdamW optimizer(ex, model.parameters, {.learning_rate = 1e-3, .weight_decay = 0.05});
  Batch batch(ex);
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const std::vector<std::uint32_t> order = shuffled(training.size(), epoch);
    const Stopwatch watch;
    double sum = 0;
    int steps = 0;
    for (std::size_t begin = 0; begin + kBatch <= order.size(); begin += kBatch, ++steps) {
      batch.fill(training, order, begin);
      sum += train_step(ex, model, optimizer, batch);
    }
    const PlanReport measured = ex.report();
    std::printf("epoch %-2d        train loss %.4f, %.1f s, measured peak %lld bytes\n", epoch + 1,
                sum / steps, watch.elapsed_s(), static_cast<long long>(measured.peak_bytes));
    std::printf("                test accuracy %.4f\n", accuracy(ex, model, batch, test));
  }
  check(ex.report().peak_bytes == planned.peak_bytes, ErrorKind::device, "train_mlp",
        "the plan said ", planned.peak_bytes, " bytes, the run took ", ex.report().peak_bytes);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string folder = argc > 1 ? argv[1] : "/usr/share/datasets/fashion-mnist";
    run(folder, argc > 2 ? std::atoi(argv[2]) : 3);
  } catch (const Error& error) {
    std::fprintf(stderr, "train_mlp: %s\n", error.what());
    return error.kind() == ErrorKind::io ? 3 : 4;
  }
  return 0;
}
