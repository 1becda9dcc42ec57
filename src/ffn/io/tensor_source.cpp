#include "ffn/io/tensor_source.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/io/file_kind.h"

namespace ffn::inline v0 {
namespace {

// Bytes of the UTF-8 character that `text` starts with; 0 when it starts with none.
std::size_t character_bytes(std::string_view text) {
  const auto at = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto follows = [&](std::size_t i, unsigned least = 0x80, unsigned most = 0xbf) {
    return at(i) >= least && at(i) <= most;
  };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  // Second bytes that would make a longer form than needed, a surrogate or a number too large.
  if (first >= 0xe0 && first <= 0xef) {
    const bool second = follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
    return second && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool second = follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
    return second && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

TensorSource::TensorSource(std::string path, std::vector<std::shared_ptr<const MappedFile>> files,
                           std::vector<StoredTensor> tensors)
    : path_(std::move(path)),
      files_(std::move(files)),
      tensors_(std::move(tensors)),
      by_name_(tensors_.size()) {
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  std::ranges::sort(by_name_, {},
                    [this](std::size_t i) { return std::string_view(tensors_[i].name); });
}

const StoredTensor* TensorSource::find(std::string_view name) const {
  const auto name_of = [this](std::size_t i) { return std::string_view(tensors_[i].name); };
  const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of);
  return found != by_name_.end() && name_of(*found) == name ? &tensors_[*found] : nullptr;
}

const StoredTensor& TensorSource::at(std::string_view name) const {
  const StoredTensor* found = find(name);
  check(found != nullptr, ErrorKind::io, path_, "holds no tensor ", in_quotes(name), " (it has ",
        tensors_.size(), " tensors)");
  return *found;
}

std::span<const std::byte> TensorSource::data(const StoredTensor& tensor) const {
  return files_[tensor.file]->bytes().subspan(static_cast<std::size_t>(tensor.offset_bytes),
                                              static_cast<std::size_t>(tensor.bytes));
}

std::int64_t TensorSource::file_bytes() const {
  std::int64_t bytes = 0;
  for (const auto& file : files_) bytes += std::ssize(file->bytes());
  return bytes;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

std::string shown_text(std::string_view text, std::size_t most) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string shown;
  std::size_t used = 0;
  while (used < text.size()) {
    const std::size_t bytes = character_bytes(text.substr(used));
    const auto first = static_cast<unsigned char>(text[used]);
    if (used + std::max<std::size_t>(bytes, 1) > most) return shown + "…";
    if (bytes == 0 || first < 0x20 || first == 0x7f) {
      shown += {'\\', 'x', kDigits[first >> 4], kDigits[first & 15]};
    } else {
      shown += text.substr(used, bytes);
    }
    used += std::max<std::size_t>(bytes, 1);
  }
  return shown;
}

}  // namespace ffn::inline v0
