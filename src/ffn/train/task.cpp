#include "ffn/train/task.h"

#include "ffn/train/image_task.h"
#include "ffn/train/text_task.h"

namespace ffn::inline v0 {

std::unique_ptr<Task> make_task(Executor& ex, const ModelConfig& config, const TaskData& data,
                                const TaskOptions& options, const DesignRegistry& designs) {
  if (const auto* vit = std::get_if<VitConfig>(&config))
    return std::make_unique<ImageTask>(ex, *vit, std::get<ImageData>(data), options, designs);
  return std::make_unique<TextTask>(ex, std::get<DecoderConfig>(config), std::get<TextData>(data),
                                    options, designs);
}

}  // namespace ffn::inline v0
