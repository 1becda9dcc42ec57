#include <algorithm>
#include <map>
#include <optional>

#include "console.h"
#include "ffn/inference/known_models.h"
#include "ffn/io/checkpoint.h"
#include "ffn/report/table.h"
#include "options.h"
#include "verbs.h"

namespace ffn::app {
namespace {

constexpr std::size_t kLongestName = 4096;

struct InspectOptions {
  std::string path;
  bool header = false;
  OutputOption output;
};

std::string shape_text(const StoredTensor& tensor) {
  std::string text = "[";
  for (const std::int64_t axis : tensor.shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(axis);
  }
  return text + "]";
}

// Nothing where a shape of an unknown type counts more than 2^63.
std::optional<std::int64_t> elements_of(const StoredTensor& tensor) {
  if (std::ranges::find(tensor.shape, 0) != tensor.shape.end()) return 0;
  std::int64_t count = 1;
  for (const std::int64_t axis : tensor.shape)
    if (__builtin_mul_overflow(count, axis, &count)) return {};
  return count;
}

Table summary_table(const TensorSource& source) {
  Table table{{{"path"},
               {"format"},
               {"files", NumberStyle::count},
               {"file_bytes", NumberStyle::bytes},
               {"tensors", NumberStyle::count}},
              {}};
  table.add_row({shown_text(source.path(), kLongestName), std::string(source.format()),
                 static_cast<std::int64_t>(source.files().size()), source.file_bytes(),
                 static_cast<std::int64_t>(source.tensors().size())});
  return table;
}

Table metadata_table(const TensorSource& source) {
  Table table{{{"key"}, {"type"}, {"value"}}, {}};
  for (const MetadataText& entry : source.metadata_texts())
    table.add_row({entry.key, entry.type, entry.value});
  return table;
}

Table tensors_table(const TensorSource& source) {
  const bool several = source.files().size() > 1;
  Table table{{{"tensor"}, {"type"}, {"shape"}, {"bytes", NumberStyle::bytes}}, {}};
  if (several) table.columns.push_back({"file"});
  for (const StoredTensor& tensor : source.tensors()) {
    std::vector<Cell> row{shown_text(tensor.name, kLongestName), tensor.dtype_name,
                          shape_text(tensor), tensor.bytes};
    if (several) {
      const std::string& path = source.file_of(tensor)->path();
      row.push_back(shown_text(path.substr(path.rfind('/') + 1), kLongestName));
    }
    table.add_row(std::move(row));
  }
  return table;
}

// Per type as the files call it; "computes_as" is empty where nothing here computes with it.
Table totals_table(const TensorSource& source) {
  struct Total {
    std::string computes_as;
    std::int64_t tensors = 0, bytes = 0;
    std::optional<std::int64_t> elements = 0;
  };
  std::map<std::string, Total> totals;
  for (const StoredTensor& tensor : source.tensors()) {
    Total& total = totals[tensor.dtype_name];
    if (tensor.dtype) total.computes_as = to_string(*tensor.dtype);
    ++total.tensors;
    total.bytes += tensor.bytes;
    const std::optional<std::int64_t> elements = elements_of(tensor);
    std::int64_t sum = 0;
    const bool known =
        total.elements && elements && !__builtin_add_overflow(*total.elements, *elements, &sum);
    total.elements = known ? std::optional(sum) : std::nullopt;
  }
  Table table{{{"type"},
               {"computes_as"},
               {"tensors", NumberStyle::count},
               {"elements", NumberStyle::count},
               {"bytes", NumberStyle::bytes}},
              {}};
  for (const auto& [type, total] : totals)
    table.add_row({type, total.computes_as.empty() ? Cell() : Cell(total.computes_as),
                   total.tensors, total.elements ? Cell(*total.elements) : Cell(), total.bytes});
  return table;
}

void run(const InspectOptions& options) {
  const std::unique_ptr<TensorSource> source = open_checkpoint(find_model(options.path));
  const TableFormat format = options.output.format();
  if (format == TableFormat::csv) return print_result(to_text(tensors_table(*source), format));
  const std::vector<NamedTable> tables{{"summary", summary_table(*source)},
                                       {"metadata", metadata_table(*source)},
                                       {"tensors", tensors_table(*source)},
                                       {"totals", totals_table(*source)}};
  if (format == TableFormat::json) return print_result(to_json(tables));
  std::string text;
  for (const NamedTable& named : tables) {
    if (named.table.rows.empty()) continue;
    if (!text.empty()) text += "\n";
    text += to_text(named.table, format, named.name == "summary");
  }
  print_result(text);
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* verb = app.add_subcommand(
      "inspect", "what a checkpoint file holds: tensors, types, shapes, bytes, metadata");
  verb->add_option("file", options->path,
                   "a safetensors or GGUF file, a folder with model.safetensors or its index, or a "
                   "name (ffn data get)")
      ->required()
      ->type_name("FILE");
  verb->add_flag("--header", options->header,
                 "list what the header says, without reading weights; csv lists the tensors alone")
      ->required();
  options->output.add_to(*verb);
  add_example(*verb, "ffn inspect model.gguf --header");
  verb->callback([options] { run(*options); });
}

}  // namespace ffn::app
