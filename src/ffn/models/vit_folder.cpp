#include "ffn/models/vit_folder.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "ffn/base/error.h"
#include "ffn/io/atomic_file.h"
#include "ffn/models/weight_file.h"

namespace ffn::inline v0 {

void read_vit_weights(Executor& ex, const std::string& folder, const VisionTransformer& model,
                      ParameterSet& parameters) {
  read_weights(ex, folder + "/model.safetensors", model.stored_weights());
  parameters.weights_changed(ex);
}

void write_vit_folder(const std::string& folder, const VisionTransformer& model) {
  if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST)
    fail(ErrorKind::io, folder, "cannot make this folder: ", std::strerror(errno));
  write_weights(folder + "/model.safetensors", model.stored_weights());
  AtomicFile config(folder + "/config.json");
  config.write(vit_config_json(model.config()));
  config.commit();
}

}  // namespace ffn::inline v0
