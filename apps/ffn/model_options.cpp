#include "model_options.h"

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <algorithm>
#include <charconv>
#include <cmath>

#include "ffn/base/error.h"
#include "ffn/compare/report_words.h"

namespace ffn::app {

std::int64_t parse_bytes(const std::string& text, const char* option) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  std::string unit(rest, end);
  std::ranges::transform(unit, unit.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (unit.ends_with("IB")) unit.resize(unit.size() - 2);
  if (unit.ends_with("B")) unit.pop_back();
  const std::size_t power = std::string_view(" KMGT").find(unit.empty() ? " " : unit);
  const double bytes = number * std::pow(1024.0, static_cast<double>(power));
  check(error == std::errc() && unit.size() <= 1 && power != std::string_view::npos && number > 0 &&
            bytes < 1e18,
        ErrorKind::config, option, "'", text, "' is no amount of memory; write 800M or 2G");
  return static_cast<std::int64_t>(bytes);
}

void ComputeOptions::add_to(CLI::App& verb) {
  verb.add_option("--threads", threads_, "threads; 0 takes every processor")
      ->check(CLI::Range(0, 1024).description(""))
      ->capture_default_str();
  verb.add_option("--dtype", dtype_, "of activations: f32 or bf16")
      ->check(CLI::IsMember({"f32", "bf16"}).description(""))
      ->type_name("DTYPE")
      ->capture_default_str();
  verb.add_option("--memory", memory_,
                  "refuse to start where weights and all beside them would take more than this, "
                  "e.g. 2G")
      ->type_name("LIMIT");
}

namespace {

// Gives back to the system what opening a model has needed for a while: vocabularies in the making.
void trim_heap() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace

Device ComputeOptions::open(const std::string& path,
                            const std::function<InferencePlan(const Device&)>& plan,
                            const std::string& for_what, std::string_view advice) {
  trim_heap();
  const std::int64_t limit = memory_.empty() ? 0 : parse_bytes(memory_, "--memory");
  pool_ = make_thread_pool(threads_ == 0 ? available_threads() : threads_);
  const Device device = cpu_device(*pool_);
  if (limit == 0) return device;
  const InferencePlan planned = plan(device);
  check(planned.total_bytes() <= limit, ErrorKind::device, path, "needs ",
        bytes_text(planned.total_bytes()), " (", bytes_text(planned.mapped_bytes),
        " of weights in the file, ", bytes_text(planned.copied_bytes), " of copied ones, ",
        bytes_text(planned.own_bytes - planned.copied_bytes), " beside them) for ", for_what,
        "; --memory allows ", bytes_text(limit), "; ", advice);
  return device;
}

void InferenceOptions::add_to(CLI::App& verb) {
  verb.add_option("--context", context_,
                  "tokens of prompt and answer to keep room for; 0: what they need")
      ->check(CLI::Range(0, 1 << 24).description(""))
      ->capture_default_str();
  verb.add_option("--activations", activations_,
                  "what products with quantised weights take them as: f32 (that is --dtype), int8, "
                  "or auto: int8 for up to 8 tokens at once, f32 for more")
      ->check(CLI::IsMember({"auto", "f32", "int8"}).description(""))
      ->type_name("PRECISION")
      ->capture_default_str();
  verb.add_option("--cache", cache_, "of the keys and values that are kept: f32 or bf16")
      ->check(CLI::IsMember({"f32", "bf16"}).description(""))
      ->type_name("DTYPE")
      ->capture_default_str();
  compute_.add_to(verb);
}

std::int64_t InferenceOptions::context(const ModelFiles& files, std::int64_t prompt,
                                       std::int64_t answer) const {
  const std::int64_t most = files.config.tokens;
  check(context_ <= most, ErrorKind::config, "--context", context_,
        " tokens; this model takes at most ", most);
  const std::int64_t bound = std::min(context_ > 0 ? context_ : prompt + answer, most);
  check(prompt < bound, ErrorKind::config, context_ > 0 ? "--context" : "prompt", "the prompt has ",
        prompt, " tokens; with ", bound, " in all (this model takes at most ", most,
        ") no answer fits");
  return bound;
}

Device InferenceOptions::open(const ModelFiles& files, std::int64_t prompt, std::int64_t bound) {
  const ActivationPrecision activations = parse_activation_precision(activations_);
  const auto plan = [&](Device planned) {
    planned.activations = activations;
    return plan_inference(planned, files, dtype(), cache_dtype(), prompt, bound);
  };
  Device device = compute_.open(files.path, plan, std::to_string(bound) + " tokens",
                                "fewer tokens (--context) or --cache bf16 need less");
  device.activations = activations;
  return device;
}

}  // namespace ffn::app
