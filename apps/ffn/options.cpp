#include "options.h"

#include "ffn/base/error.h"

namespace ffn::app {

void OutputOption::add_to(CLI::App& verb) {
  verb.add_option("-o,--output", name_, "form of the result: md, csv or json")
      ->check(CLI::IsMember({"md", "csv", "json"}).description(""))
      ->type_name("FORMAT")
      ->capture_default_str();
}

TableFormat OutputOption::format() const {
  if (name_ == "json") return TableFormat::json;
  return name_ == "csv" ? TableFormat::csv : TableFormat::md;
}

void DeviceOptions::add_to(CLI::App& verb) {
  verb.add_option("--threads", threads, "threads; 0 takes every processor")
      ->check(CLI::Range(0, 1024).description(""))
      ->capture_default_str();
  verb.add_option("--device", device, "cpu, or reference (readable loops in double, slow)")
      ->check(CLI::IsMember({"cpu", "reference"}).description(""))
      ->capture_default_str();
  verb.add_option("--dtype", dtype_name, "f32, bf16 (f32 masters), or f64 on the reference device")
      ->check(CLI::IsMember({"f32", "bf16", "f64"}).description(""))
      ->type_name("DTYPE")
      ->capture_default_str();
  verb.add_option("--memory", memory_name,
                  "store: keep what backward needs; recompute: keep each block's input only")
      ->check(CLI::IsMember({"store", "recompute"}).description(""))
      ->type_name("MODE")
      ->capture_default_str();
}

DType DeviceOptions::dtype() const {
  if (dtype_name == "bf16") return DType::bf16;
  return dtype_name == "f64" ? DType::f64 : DType::f32;
}

MemoryMode DeviceOptions::memory() const {
  return memory_name == "recompute" ? MemoryMode::recompute : MemoryMode::store;
}

Device DeviceOptions::open() {
  check(dtype() != DType::f64 || device == "reference", ErrorKind::config, "--dtype",
        "f64 runs on --device reference only");
  if (device == "reference") {
    check(dtype() != DType::bf16, ErrorKind::config, "--dtype", "the reference device has no bf16");
    return reference_device();
  }
  pool_ = make_thread_pool(threads == 0 ? available_threads() : threads);
  return cpu_device(*pool_);
}

void ModelOptions::add_to(CLI::App& verb, bool several_designs) {
  verb.add_option("--model", model, "a preset (ffn zoo lists them) or a Hugging Face folder")
      ->capture_default_str();
  auto* designs = verb.add_option(
      "--ffn", feed_forward,
      several_designs ? "feed-forward design, e.g. 'glu(silu)'; may be given several times"
                      : "feed-forward design, e.g. 'glu(silu)'");
  designs->type_name("DESIGN");
  if (several_designs) {
    designs->take_all();
  } else {
    designs->expected(1);
  }
  verb.add_option("--match", match,
                  "choose the hidden width so that this equals the design of --match-to")
      ->check(CLI::IsMember({"params", "flops"}).description(""))
      ->type_name("params|flops");
  verb.add_option("--match-to", match_to, "the design whose budget --match copies")
      ->type_name("DESIGN")
      ->capture_default_str();
}

void add_example(CLI::App& verb, const std::string& example) {
  verb.footer("Example:\n  " + example);
}

}  // namespace ffn::app
