// The data of a task: pictures with classes, or text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "ffn/models/model_config.h"
#include "ffn/train/dataset.h"
#include "ffn/train/image_geometry.h"
#include "ffn/train/text_data.h"

namespace ffn::inline v0 {

using TaskData = std::variant<ImageData, TextData>;
// What a model must know of the data before it is read.
using TaskGeometry = std::variant<ImageGeometry, TextGeometry>;

// names_text() decides. Options are of pictures: with a text they must be at their defaults.
// Errors: config, io; see load_image_data() and load_text_data().
TaskData load_task_data(const std::string& name, const ImageDataOptions& options);
// Without reading where that is possible. Errors: as above.
TaskGeometry task_geometry(const std::string& name, std::int64_t pad_to);
TaskGeometry geometry_of(const TaskData& data);

// Throws Error{config}: pictures that are not square, a model of another kind or of other sizes
// than the data; `where` names the model.
void check_model_fits(const ModelConfig& config, const TaskGeometry& geometry,
                      std::string_view where);

// Pictures, or windows of the model's tokens, of one epoch.
std::int64_t training_examples(const TaskData& data, const ModelConfig& config);

// Of the right sizes for the model and a batch, without any contents: for a dry device.
TaskData shape_only_data(const ModelConfig& config, std::int64_t batch);

}  // namespace ffn::inline v0
