#include "ffn/train/task_data.h"

#include "ffn/base/error.h"
#include "ffn/train/evaluate.h"
#include "ffn/train/evaluate_text.h"

namespace ffn::inline v0 {
namespace {

void check_fits(const VitConfig& c, const ImageGeometry& geometry, std::string_view where) {
  check(c.image_size == geometry.size && c.channels == geometry.channels &&
            c.classes == geometry.classes,
        ErrorKind::config, where, "is a model of ", c.channels, "×", c.image_size, "×",
        c.image_size, " pictures and ", c.classes, " classes; the data has ", geometry.channels,
        "×", geometry.size, "×", geometry.size, " and ", geometry.classes);
}

void check_fits(const DecoderConfig& c, const TextGeometry& geometry, std::string_view where) {
  check(c.vocabulary == geometry.vocabulary, ErrorKind::config, where, "is a model of ",
        c.vocabulary, " ids; the text has ", geometry.vocabulary);
}

void check_fits(const VitConfig&, const TextGeometry&, std::string_view where) {
  fail(ErrorKind::config, where, "is a model of pictures; the data is text");
}

void check_fits(const DecoderConfig&, const ImageGeometry&, std::string_view where) {
  fail(ErrorKind::config, where, "is a language model; the data is pictures");
}

// Two blocks of scoring, and one batch of training.
ImageData shape_of(const VitConfig& model, std::int64_t batch) {
  ImageSet set;
  set.channels = model.channels;
  set.height = set.width = model.image_size;
  set.classes = model.classes;
  ImageData data;
  data.train = data.validation = data.test = set;
  data.train.count = batch;
  data.validation.count = data.test.count = 2 * kEvalBlock;
  const std::vector<double> flat(static_cast<std::size_t>(model.channels), 0.5);
  data.statistics = {flat, flat};
  return data;
}

TextSet blank_text(std::int64_t documents, std::int64_t ids) {
  TextSet set;
  for (std::int64_t i = 0; i < documents; ++i) {
    set.starts.push_back(set.starts.back() + ids + 1);
    set.bytes.push_back(static_cast<std::int32_t>(ids));
  }
  set.ids.resize(static_cast<std::size_t>(set.starts.back()));
  return set;
}

TextData shape_of(const DecoderConfig& model, std::int64_t batch) {
  TextData data;
  data.vocabulary = model.vocabulary;
  data.train = blank_text(batch + 2, model.tokens);
  data.validation = blank_text(2 * text_eval_sequences(model.tokens), model.tokens);
  data.test = data.validation;
  return data;
}

}  // namespace

TaskData load_task_data(const std::string& name, const ImageDataOptions& options) {
  if (!names_text(name)) return load_image_data(name, options);
  check(options.pad_to == 0 && options.shuffle_patches == 0, ErrorKind::config, "data",
        "a text has no pictures to pad or to shuffle");
  return load_text_data(name);
}

TaskGeometry task_geometry(const std::string& name, std::int64_t pad_to) {
  if (names_text(name)) return text_geometry(name);
  return image_geometry(name, pad_to);
}

TaskGeometry geometry_of(const TaskData& data) {
  if (const auto* text = std::get_if<TextData>(&data)) return TextGeometry{text->vocabulary};
  const ImageSet& train = std::get<ImageData>(data).train;
  check(train.height == train.width, ErrorKind::config, train.name, "holds pictures of ",
        train.height, " × ", train.width, " pixels; square ones are needed");
  return ImageGeometry{train.channels, train.width, train.classes};
}

void check_model_fits(const ModelConfig& config, const TaskGeometry& geometry,
                      std::string_view where) {
  std::visit([&](const auto& c, const auto& g) { check_fits(c, g, where); }, config, geometry);
}

std::int64_t training_examples(const TaskData& data, const ModelConfig& config) {
  if (const auto* text = std::get_if<TextData>(&data))
    return text_windows(text->train, tokens_of(config));
  return std::get<ImageData>(data).train.count;
}

TaskData shape_only_data(const ModelConfig& config, std::int64_t batch) {
  return std::visit([&](const auto& c) -> TaskData { return shape_of(c, batch); }, config);
}

}  // namespace ffn::inline v0
