#include "model_options.h"

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

void InferenceOptions::add_to(CLI::App& verb) {
  verb.add_option("--context", context_,
                  "tokens of prompt and answer to keep room for; 0: what they need")
      ->check(CLI::Range(0, 1 << 24).description(""))
      ->capture_default_str();
  verb.add_option("--threads", threads_, "threads; 0 takes every processor")
      ->check(CLI::Range(0, 1024).description(""))
      ->capture_default_str();
  verb.add_option("--dtype", dtype_, "of activations: f32 or bf16")
      ->check(CLI::IsMember({"f32", "bf16"}).description(""))
      ->type_name("DTYPE")
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
  verb.add_option("--memory", memory_,
                  "refuse to start where weights, cache and activations would take more than this, "
                  "e.g. 2G")
      ->type_name("LIMIT");
}

std::int64_t InferenceOptions::context(const ModelFiles& files, std::int64_t prompt,
                                       std::int64_t answer) const {
  const std::int64_t most = files.config.tokens;
  const std::int64_t bound = std::min(context_ > 0 ? context_ : prompt + answer, most);
  check(prompt < bound, ErrorKind::config, context_ > 0 ? "--context" : "prompt", "the prompt has ",
        prompt, " tokens; with ", bound, " in all (this model takes at most ", most,
        ") no answer fits");
  return bound;
}

Device InferenceOptions::open(const ModelFiles& files, std::int64_t prompt, std::int64_t bound) {
  const std::int64_t limit = memory_.empty() ? 0 : parse_bytes(memory_, "--memory");
  pool_ = make_thread_pool(threads_ == 0 ? available_threads() : threads_);
  Device device = cpu_device(*pool_);
  device.activations = parse_activation_precision(activations_);
  if (limit == 0) return device;
  const InferencePlan plan = plan_inference(device, files, dtype(), cache_dtype(), prompt, bound);
  check(plan.total_bytes() <= limit, ErrorKind::device, files.path, "needs ",
        bytes_text(plan.total_bytes()), " (", bytes_text(plan.mapped_bytes), " of weights, ",
        bytes_text(plan.own_bytes), " beside them) for ", bound, " tokens; --memory allows ",
        bytes_text(limit), "; fewer tokens (--context) or --cache bf16 need less");
  return device;
}

}  // namespace ffn::app
