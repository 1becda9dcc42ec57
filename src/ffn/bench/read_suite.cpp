#include <algorithm>
#include <set>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/bench/layer_run.h"
#include "ffn/bench/suite.h"
#include "ffn/bench/workload.h"
#include "ffn/train/strict_json.h"
#include "ffn/train/train_config.h"

namespace ffn::inline v0 {
namespace {

using nlohmann::json;

// What a file may ask for at most: beyond it a size is a slip of the pen.
constexpr std::int64_t kMaxSize = std::int64_t{1} << 24;
constexpr std::size_t kMaxCases = 4096;

struct ListKey {
  std::string_view key, mark;  // the mark stands before the element in a case's name
};
constexpr ListKey kListKeys[] = {{"design", ""}, {"m", "m"},   {"rows", "n"},  {"batch", "b"},
                                 {"dtype", ""},  {"pass", ""}, {"memory", ""}, {"routing", ""}};

struct Expanded {
  json object;
  std::string suffix;
};

// One object for every combination of the elements of its lists.
std::vector<Expanded> expanded(const json& object, const std::string& where,
                               const std::string& inside) {
  std::vector<Expanded> all{{object, ""}};
  if (!object.is_object()) return all;  // the reader refuses it
  for (const ListKey& list : kListKeys) {
    const auto found = object.find(list.key);
    if (found == object.end() || !found->is_array()) continue;
    std::vector<Expanded> longer;
    for (const Expanded& each : all) {
      for (const json& element : *found) {
        const std::string text = element.is_string() ? element.get<std::string>() : element.dump();
        longer.push_back({each.object, each.suffix + "/" + std::string(list.mark) + text});
        longer.back().object[std::string(list.key)] = element;
        check(longer.size() <= kMaxCases, ErrorKind::io, where, "'", inside,
              "' stands for more than ", kMaxCases, " cases");
      }
    }
    check(!longer.empty(), ErrorKind::io, where, "'", inside, list.key, "' is an empty array");
    all = std::move(longer);
  }
  return all;
}

// An object of a case, and what errors about it name.
struct CaseReader {
  ObjectReader reader;
  std::string where, inside;

  template <class... Parts>
  [[noreturn]] void refuse(std::string_view key, const Parts&... parts) const {
    fail(ErrorKind::io, where, "'", inside, key, "' ", parts...);
  }
  std::int64_t size(const char* key, std::int64_t least = 1) {
    const std::int64_t value = reader.integer(key);
    if (value < least || value > kMaxSize)
      refuse(key, "is ", value, "; expected ", least, " to ", kMaxSize);
    return value;
  }
  bool flag(const char* key) { return reader.has(key) && reader.boolean(key); }
  // The place of the key's text among the words; `fallback` when the key is absent.
  std::size_t word(const char* key, std::initializer_list<std::string_view> words,
                   std::size_t fallback) {
    if (!reader.has(key)) return fallback;
    const std::string text = reader.text(key);
    const auto found = std::find(words.begin(), words.end(), text);
    if (found == words.end()) {
      std::string known;
      for (const std::string_view each : words)
        known.append(known.empty() ? "" : ", ").append(each);
      refuse(key, "is '", text, "'; expected one of ", known);
    }
    return static_cast<std::size_t>(found - words.begin());
  }
  DType dtype(const char* key, std::initializer_list<std::string_view> words, DType fallback) {
    if (!reader.has(key)) return fallback;
    return parse_dtype(std::data(words)[word(key, words, 0)]);
  }
  MemoryMode memory() {
    constexpr MemoryMode kModes[] = {MemoryMode::store, MemoryMode::recompute_hidden,
                                     MemoryMode::recompute};
    return kModes[word("memory", {"store", "recompute-hidden", "recompute"}, 0)];
  }
  // What a check throws is an error of this key.
  template <class Check>
  void require(std::string_view key, const Check& check_case) const {
    try {
      check_case();
    } catch (const Error& error) {
      refuse(key, "cannot be measured: ", error.detail());
    }
  }
};

// Of a product of integers.
void read_integers(CaseReader& r, ProductCase& c) {
  c.bits = static_cast<int>(r.size("bits"));
  if (c.bits != 8 && c.bits != 4) r.refuse("bits", "is ", c.bits, "; expected 8 or 4");
  if (c.form != kernels::ProductForm::nt || c.prepared)
    r.refuse("bits", "is of form nt, always packed beforehand");
  if (r.reader.has("group")) c.group = r.size("group");
  if (c.group != 32 && c.group != 64 && c.group != 128)
    r.refuse("group", "is ", c.group, "; expected 32, 64 or 128");
  if (is_block(c.b) && (c.group != kQuantBlock || (c.bits == 4) != (c.b == DType::q4_0)))
    r.refuse("b", "is ", to_string(c.b), ", which keeps its own bits in groups of ", kQuantBlock);
  c.cold = r.flag("cold");
}

ProductCase read_product(CaseReader& r) {
  ProductCase c;
  constexpr kernels::ProductForm kForms[] = {kernels::ProductForm::nt, kernels::ProductForm::nn,
                                             kernels::ProductForm::tn};
  if (!r.reader.has("form")) r.refuse("form", "is missing");
  c.form = kForms[r.word("form", {"nt", "nn", "tn"}, 0)];
  c.m = r.size("m");
  c.n = r.size("n");
  c.k = r.size("k");
  c.a = r.dtype("dtype", {"f32", "bf16"}, DType::f32);
  c.b = r.dtype("b", {"f32", "bf16", "f16", "q8_0", "q4_0"}, c.a);
  c.c = r.dtype("c", {"f32", "bf16"}, c.a);
  c.prepared = r.flag("prepared");
  const bool tn = c.form == kernels::ProductForm::tn;
  if (r.reader.has("bits")) read_integers(r, c);
  if (c.prepared && tn) r.refuse("prepared", "is of forms nt and nn only");
  const std::int64_t row = c.form == kernels::ProductForm::nt ? c.k : c.n;
  if (is_block(c.b) && (tn || row % kQuantBlock != 0))
    r.refuse("b", "is ", to_string(c.b),
             ", which needs form nt with k, or nn with n, a multiple of ", kQuantBlock);
  return c;
}

// [height, width, prefix] of the tokens' grid.
TokenGrid read_grid(CaseReader& r, std::int64_t tokens) {
  const json& sizes = r.reader.array("grid");
  const bool numbers = sizes.size() == 3 && std::ranges::all_of(sizes, [](const json& size) {
                         return size.is_number_unsigned() &&
                                size.get<std::uint64_t>() <= static_cast<std::uint64_t>(kMaxSize);
                       });
  if (!numbers) r.refuse("grid", "is no [height, width, class tokens]");
  const TokenGrid grid{sizes[0].get<std::int64_t>(), sizes[1].get<std::int64_t>(),
                       sizes[2].get<std::int64_t>()};
  if (grid.height < 1 || grid.width < 1 || grid.height * grid.width + grid.prefix != tokens)
    r.refuse("grid", "is not that of ", tokens, " 'tokens'");
  return grid;
}

LayerCase read_layer(CaseReader& r) {
  LayerCase c;
  c.design = r.reader.text("design");
  c.width = r.size("width");
  c.rows = r.size("rows");
  if (r.reader.has("tokens")) c.tokens = r.size("tokens");
  if (c.tokens > 0 && c.rows % c.tokens != 0)
    r.refuse("rows", "is ", c.rows, ", no multiple of ", c.tokens, " 'tokens'");
  if (r.reader.has("grid")) c.grid = read_grid(r, c.tokens);
  c.causal = r.flag("causal");
  c.bias = r.flag("bias");
  c.dtype = r.dtype("dtype", {"f32", "bf16"}, DType::f32);
  c.pass = r.word("pass", {"forward", "backward"}, 0) == 1 ? Pass::backward : Pass::forward;
  c.memory = r.memory();
  if (c.memory != MemoryMode::store && c.pass == Pass::forward)
    r.refuse("memory", "is ", to_string(c.memory), ", which a forward pass would ignore");
  constexpr RoutingShares kRoutings[] = {RoutingShares::none, RoutingShares::uniform,
                                         RoutingShares::zipf};
  c.routing = kRoutings[r.word("routing", {"none", "uniform", "zipf"}, 0)];
  c.cold = r.flag("cold");
  c.prepared = r.flag("prepared");
  if (c.prepared && c.pass == Pass::backward)
    r.refuse("prepared", "is of forward passes only: training changes the weights");
  r.require("design", [&] { check_layer_case(c); });
  return c;
}

TrainCase read_train(CaseReader& r) {
  TrainCase c;
  c.model = r.reader.text("model");
  c.design = r.reader.text("design");
  const bool text = r.reader.has("vocabulary");
  if (text) {
    c.vocabulary = r.size("vocabulary", 2);
    if (c.vocabulary > 65536) r.refuse("vocabulary", "is ", c.vocabulary, "; expected 2 to 65536");
    c.context = r.size("context", 2);
  } else {
    c.image = r.size("image");
    c.patch = r.size("patch");
    c.classes = r.size("classes", 2);
  }
  c.batch = r.size("batch");
  c.dtype = r.dtype("dtype", {"f32", "bf16"}, DType::f32);
  c.memory = r.memory();
  r.require("model", [&] { check_train_case(c); });
  return c;
}

BenchCase read_case(const Expanded& each, const std::string& suite, const std::string& where,
                    const std::string& inside) {
  CaseReader r{ObjectReader(each.object, where, inside), where, inside};
  BenchCase made;
  made.suite = suite;
  made.name = r.reader.text("name");
  if (made.name.empty()) r.refuse("name", "is empty");
  made.name += each.suffix;
  if (!r.reader.has("kind")) r.refuse("kind", "is missing");
  switch (r.word("kind", {"product", "layer", "train"}, 0)) {
    case 0: made.work = read_product(r); break;
    case 1: made.work = read_layer(r); break;
    default: made.work = read_train(r); break;
  }
  r.reader.finish();
  return made;
}

BenchSuite suite_of(const json& object, const std::string& where) {
  ObjectReader reader(object, where);
  reader.schema(1);
  BenchSuite suite{reader.text("suite"), reader.text("about"), {}};
  check(!suite.name.empty(), ErrorKind::io, where, "'suite' is empty");
  const json& elements = reader.array("cases");
  reader.finish();
  std::set<std::string> names;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const std::string inside = "cases[" + std::to_string(i) + "].";
    for (const Expanded& each : expanded(elements[i], where, inside)) {
      suite.cases.push_back(read_case(each, suite.name, where, inside));
      const std::string& name = suite.cases.back().name;
      check(names.insert(name).second, ErrorKind::io, where, "has two cases named '", name, "'");
      check(names.size() <= kMaxCases, ErrorKind::io, where, "has more than ", kMaxCases, " cases");
    }
  }
  check(!suite.cases.empty(), ErrorKind::io, where, "has no cases");
  return suite;
}

}  // namespace

BenchSuite parse_suite(std::string_view text, std::string_view where) {
  return suite_of(parse_json_object(text, where), std::string(where));
}

BenchSuite read_suite(const std::string& path) { return suite_of(read_json_object(path), path); }

}  // namespace ffn::inline v0
