#include "options.h"

#include "ffn/base/error.h"
#include "ffn/train/train_config.h"

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
  verb.add_option(
          "--memory", memory_name,
          "store: keep what backward needs; recompute-hidden: but no hidden values of mlp and "
          "glu; recompute: each block's input only")
      ->check(CLI::IsMember({"store", "recompute-hidden", "recompute"}).description(""))
      ->type_name("MODE")
      ->capture_default_str();
}

DType DeviceOptions::dtype() const {
  if (dtype_name == "bf16") return DType::bf16;
  return dtype_name == "f64" ? DType::f64 : DType::f32;
}

MemoryMode DeviceOptions::memory() const { return parse_memory_mode(memory_name, "--memory"); }

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

void ModelOptions::add_to(CLI::App& verb, bool several_designs, std::vector<std::string> budgets) {
  verb.add_option("--model", request.model,
                  "a preset (ffn zoo models) or a Hugging Face folder; by default a small preset");
  verb.add_option("--patch", request.patch,
                  "pixels a side of a patch; 0: 4 for pictures up to 64 pixels, else 16")
      ->check(CLI::Range(0, 1024).description(""))
      ->capture_default_str();
  DecoderOptions& decoder = request.decoder;
  verb.add_option("--context", decoder.context,
                  "tokens that a language model sees at once; 0: the preset's")
      ->check(CLI::Range(0, 1 << 20).description(""))
      ->capture_default_str();
  verb.add_option("--kv-heads", decoder.kv_heads,
                  "heads of keys and values of a language model, 1 for multi-query; 0: all heads")
      ->check(CLI::Range(0, 4096).description(""))
      ->capture_default_str();
  verb.add_flag("--parallel", decoder.parallel,
                "language models: attention and feed-forward layer side by side (PaLM)");
  verb.add_flag("--free-head", decoder.free_head,
                "language models: a head of its own in place of the embedding's table");
  auto* designs = verb.add_option(
      "--ffn", request.feed_forward,
      several_designs ? "feed-forward design, e.g. 'glu(silu)'; may be given several times"
                      : "feed-forward design, e.g. 'glu(silu)'; of a trained model experts of its "
                        "own, e.g. 'moe(8, glu(silu))' (upcycling)");
  designs->type_name("DESIGN");
  if (several_designs) {
    designs->take_all();
  } else {
    designs->expected(1);
  }
  std::string names;
  for (const std::string& name : budgets) names.append(names.empty() ? "" : "|").append(name);
  verb.add_option("--match", request.match,
                  "choose the hidden width so that this equals the design of --match-to")
      ->check(CLI::IsMember(std::move(budgets)).description(""))
      ->type_name(names);
  verb.add_option("--match-to", request.match_to, "the design whose budget --match copies")
      ->type_name("DESIGN")
      ->capture_default_str();
}

void add_data_options(CLI::App& verb, TrainRecipe& recipe) {
  verb.add_option("--data", recipe.data,
                  "data set by name (ffn data), a folder with its files, or text:PATH")
      ->capture_default_str();
  verb.add_option("--pad", recipe.pad_to,
                  "border of zeros up to so many pixels a side; 0: pictures as they are")
      ->check(CLI::Range(0, 4096).description(""))
      ->capture_default_str();
  verb.add_option("--shuffle-patches", recipe.shuffle_patches,
                  "squares of so many pixels change places, the same way in every picture; 0: off")
      ->check(CLI::Range(0, 4096).description(""))
      ->capture_default_str();
}

void add_recipe_options(CLI::App& verb, TrainRecipe& recipe) {
  const auto option = [&](const char* name, auto& value, const char* meaning) {
    return verb.add_option(name, value, meaning)->capture_default_str();
  };
  option("--epochs", recipe.epochs, "passes over the training pictures or text");
  option("--steps", recipe.step_limit, "ends after so many steps; 0: after the epochs")
      ->check(CLI::NonNegativeNumber.description(""));
  option("--batch", recipe.batch, "pictures or sequences per step; 0: 128 pictures, 32 sequences");
  option("--lr", recipe.lr, "learning rate after the warm-up");
  option("--min-lr", recipe.min_lr, "learning rate of the last step");
  option("--warmup-epochs", recipe.warmup_epochs,
         "epochs of linear warm-up; -1: one, but at most a tenth of the run");
  option("--weight-decay", recipe.weight_decay, "AdamW's, on matrices only");
  option("--clip", recipe.max_norm, "largest gradient norm; 0: none");
  option("--drop-path", recipe.drop_path, "stochastic depth of the last block");
  verb.add_flag("--augment", recipe.augment,
                "DeiT's recipe: crop, flip, erasing, mixup, cutmix, label smoothing");
  option("--label-smoothing", recipe.label_smoothing, "without --augment");
  option("--eval-steps", recipe.eval_steps,
         "scores validation also every so many steps; 0: at the end of epochs only")
      ->check(CLI::NonNegativeNumber.description(""));
}

void refuse_given(const CLI::App& verb, std::initializer_list<const char*> names, const char* why) {
  for (const char* name : names) check(verb.count(name) == 0, ErrorKind::config, name, why);
}

std::map<std::string, std::string> run_environment(const Device& device) {
  return {{"version", FFN_VERSION},
          {"device", std::string(device.name)},
          {"compiler", compiler_name()}};
}

void add_example(CLI::App& verb, const std::string& example) {
  verb.footer("Example:\n  " + example);
}

}  // namespace ffn::app
