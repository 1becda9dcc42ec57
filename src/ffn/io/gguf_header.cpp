#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/gguf.h"
#include "ffn/io/gguf_cursor.h"
#include "ffn/io/gguf_types.h"

namespace ffn::inline v0 {
namespace {

constexpr std::string_view kGgufMagic = "GGUF";
constexpr std::string_view kGgufDamaged = "; the file is damaged: download or write it again";
constexpr std::string_view kAlignmentKey = "general.alignment";
// The least that one takes in a file: an empty text, a type and a byte; and without axes.
constexpr std::uint64_t kEntryBytes = 8 + 4 + 1, kTensorBytes = 8 + 4 + 4 + 8;

// One tensor as the header states it.
struct StatedGguf {
  std::string_view name;
  std::vector<std::int64_t> axes;  // the fastest first
  std::uint32_t type = 0;
  std::int64_t begin = 0, bytes = 0;  // from the start of the data
  const GgufTensorType* known = nullptr;
};

class GgufReader {
 public:
  GgufReader(std::span<const std::byte> file, std::string_view where)
      : file_(file), where_(where), at_(file, where) {}

  GgufHeader read() {
    read_start();
    read_metadata();
    read_tensors();
    place_tensors();
    for (StatedGguf& tensor : stated_) {
      std::ranges::reverse(tensor.axes);
      std::string type = "type ";
      type = tensor.known != nullptr ? std::string(tensor.known->name)
                                     : type + std::to_string(tensor.type);
      header_.tensors.push_back({std::string(tensor.name), std::move(type),
                                 tensor.known != nullptr ? tensor.known->dtype : std::nullopt,
                                 std::move(tensor.axes), header_.data_offset_bytes + tensor.begin,
                                 tensor.bytes, 0});
    }
    return std::move(header_);
  }

 private:
  template <class... Parts>
  void require(bool ok, const Parts&... parts) const {
    check(ok, ErrorKind::io, where_, parts..., kGgufDamaged);
  }

  void read_start();
  void read_metadata();
  GgufEntry read_entry();
  void read_value(GgufEntry& entry);
  GgufType read_type(std::string_view key);
  void check_keys() const;
  void read_alignment();
  void read_tensors();
  StatedGguf read_tensor();
  void read_axes(StatedGguf& tensor);
  void check_names() const;
  void set_bytes(StatedGguf& tensor) const;
  void place_tensors();

  std::span<const std::byte> file_;
  std::string_view where_;
  GgufCursor at_;
  std::uint64_t tensor_count_ = 0, entry_count_ = 0;
  std::vector<StatedGguf> stated_;
  GgufHeader header_;
};

std::uint64_t element_bytes(GgufType type) {
  switch (type) {
    case GgufType::u8:
    case GgufType::i8:
    case GgufType::flag: return 1;
    case GgufType::u16:
    case GgufType::i16: return 2;
    case GgufType::u32:
    case GgufType::i32:
    case GgufType::f32: return 4;
    case GgufType::u64:
    case GgufType::i64:
    case GgufType::f64: return 8;
    case GgufType::text:
    case GgufType::list: break;
  }
  return 8;  // a text's length
}

void GgufReader::read_start() {
  const bool is_gguf = file_.size() >= kGgufMagic.size() &&
                       std::memcmp(file_.data(), kGgufMagic.data(), kGgufMagic.size()) == 0;
  if (!is_gguf) {
    const std::string kind = describe_foreign_file(file_);
    check(kind.empty(), ErrorKind::io, where_, kind, "; expected a GGUF file");
    const std::string_view start(reinterpret_cast<const char*>(file_.data()),
                                 std::min(file_.size(), kGgufMagic.size()));
    fail(ErrorKind::io, where_, "is no GGUF file: it starts with ", in_quotes(start),
         ", expected 'GGUF'");
  }
  at_.skip(kGgufMagic.size(), "the start");
  header_.version = at_.number<std::uint32_t>("the version");
  check(header_.version == 0 || (header_.version & 0xffffu) != 0, ErrorKind::io, where_,
        "is a big-endian GGUF file, expected little endian: convert the model again");
  check(header_.version == 2 || header_.version == 3, ErrorKind::io, where_,
        "is a GGUF file of version ", header_.version,
        ", expected 2 or 3: convert the model again");
  tensor_count_ = at_.number<std::uint64_t>("the number of tensors");
  entry_count_ = at_.number<std::uint64_t>("the number of metadata entries");
}

GgufType GgufReader::read_type(std::string_view key) {
  const auto type = at_.number<std::uint32_t>("a type of metadata");
  require(type <= static_cast<std::uint32_t>(GgufType::f64), "metadata key ", in_quotes(key),
          " has the unknown type ", type, ", expected 0 to 12");
  return static_cast<GgufType>(type);
}

void GgufReader::read_value(GgufEntry& entry) {
  const std::size_t begin = at_.position();
  const std::uint64_t each = element_bytes(entry.type);
  at_.require(entry.count, each, "a value of metadata");
  entry.offset_bytes = begin;
  if (entry.type == GgufType::text) {
    for (std::uint64_t i = 0; i < entry.count; ++i) at_.text("a text of metadata");
    return;
  }
  at_.skip(entry.count * each, "a value of metadata");
  if (entry.type != GgufType::flag) return;
  const auto flags = file_.subspan(begin, static_cast<std::size_t>(entry.count));
  const auto wrong = std::ranges::find_if(flags, [](std::byte b) { return b > std::byte{1}; });
  require(wrong == flags.end(), "metadata key ", in_quotes(entry.key), " holds a bool of ",
          wrong == flags.end() ? 0 : std::to_integer<int>(*wrong), ", expected 0 or 1");
}

GgufEntry GgufReader::read_entry() {
  GgufEntry entry;
  entry.key = at_.text("a key of metadata");
  require(!entry.key.empty() && entry.key.size() <= kGgufNameLimit && is_utf8(entry.key),
          "metadata key ", in_quotes(shown_text(entry.key, 80)), " of ", entry.key.size(),
          " bytes, expected 1 to ", kGgufNameLimit, " bytes of UTF-8");
  entry.type = read_type(entry.key);
  if (entry.type == GgufType::list) {
    entry.is_list = true;
    entry.type = read_type(entry.key);
    require(entry.type != GgufType::list, "metadata key ", in_quotes(entry.key),
            " holds a list of lists, expected a list of plain values");
    entry.count = at_.number<std::uint64_t>("a list's length");
  }
  read_value(entry);
  return entry;
}

void GgufReader::check_keys() const {
  std::vector<std::string_view> keys;
  keys.reserve(header_.metadata.size());
  for (const GgufEntry& entry : header_.metadata) keys.push_back(entry.key);
  std::ranges::sort(keys);
  const auto twice = std::ranges::adjacent_find(keys);
  require(twice == keys.end() || fault(508), "metadata key ",
          twice == keys.end() ? "" : in_quotes(*twice), " appears twice");
}

void GgufReader::read_metadata() {
  at_.require(entry_count_, kEntryBytes, "the metadata");
  for (std::uint64_t i = 0; i < entry_count_; ++i) header_.metadata.push_back(read_entry());
  check_keys();
  read_alignment();
}

void GgufReader::read_alignment() {
  const GgufMetadata metadata(file_, std::string(where_), header_.metadata);
  header_.alignment =
      metadata.integer(kAlignmentKey, kGgufLeastAlignment, kGgufMostAlignment, header_.alignment);
  require(std::has_single_bit(static_cast<std::uint64_t>(header_.alignment)), "metadata key '",
          kAlignmentKey, "' is ", header_.alignment, ", expected a power of two");
}

void GgufReader::read_axes(StatedGguf& tensor) {
  const auto rank = at_.number<std::uint32_t>("a tensor's number of axes");
  require(rank <= kGgufRankLimit, "tensor ", in_quotes(tensor.name), " has ", rank,
          " axes, expected at most ", kGgufRankLimit);
  for (std::uint32_t axis = 0; axis < rank; ++axis) {
    const auto size = at_.number<std::uint64_t>("a tensor's axis");
    require(size <= static_cast<std::uint64_t>(INT64_MAX), "tensor ", in_quotes(tensor.name),
            " has an axis of ", size, ", too large for any file");
    tensor.axes.push_back(static_cast<std::int64_t>(size));
  }
}

// Of a type whose blocks are known.
void GgufReader::set_bytes(StatedGguf& tensor) const {
  const GgufTensorType& type = *tensor.known;
  const std::int64_t fastest = tensor.axes.empty() ? 1 : tensor.axes[0];
  require(fastest % type.block_elements == 0, "tensor ", in_quotes(tensor.name), " of ", type.name,
          " has rows of ", fastest, " elements, expected a multiple of ", type.block_elements);
  // A zero axis makes the product 0, wherever it stands.
  if (std::ranges::find(tensor.axes, 0) != tensor.axes.end()) return;
  bool overflow =
      __builtin_mul_overflow(fastest / type.block_elements, type.block_bytes, &tensor.bytes);
  for (std::size_t axis = 1; axis < tensor.axes.size(); ++axis)
    overflow = __builtin_mul_overflow(tensor.bytes, tensor.axes[axis], &tensor.bytes) || overflow;
  require(!overflow || fault(509), "the shape of tensor ", in_quotes(tensor.name),
          " counts more than 2^63 bytes");
}

StatedGguf GgufReader::read_tensor() {
  StatedGguf tensor;
  tensor.name = at_.text("a tensor's name");
  require(!tensor.name.empty() && tensor.name.size() <= kGgufNameLimit && is_utf8(tensor.name),
          "tensor ", in_quotes(shown_text(tensor.name, 80)), " has a name of ", tensor.name.size(),
          " bytes, expected 1 to ", kGgufNameLimit, " bytes of UTF-8");
  read_axes(tensor);
  tensor.type = at_.number<std::uint32_t>("a tensor's type");
  const auto known = std::ranges::find(kGgufTensorTypes, tensor.type, &GgufTensorType::number);
  if (known != std::ranges::end(kGgufTensorTypes)) {
    tensor.known = &*known;
    set_bytes(tensor);
  }
  const auto begin = at_.number<std::uint64_t>("a tensor's offset");
  require(begin <= static_cast<std::uint64_t>(INT64_MAX - tensor.bytes), "tensor ",
          in_quotes(tensor.name), " begins at byte ", begin, " of the data, too far for any file");
  require(begin % static_cast<std::uint64_t>(header_.alignment) == 0, "tensor ",
          in_quotes(tensor.name), " begins at byte ", begin,
          " of the data, expected a multiple of ", header_.alignment);
  tensor.begin = static_cast<std::int64_t>(begin);
  return tensor;
}

void GgufReader::check_names() const {
  std::vector<std::string_view> names;
  names.reserve(stated_.size());
  for (const StatedGguf& tensor : stated_) names.push_back(tensor.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  require(twice == names.end(), "tensor ", twice == names.end() ? "" : in_quotes(*twice),
          " appears twice");
}

void GgufReader::read_tensors() {
  at_.require(tensor_count_, kTensorBytes, "the list of tensors");
  for (std::uint64_t i = 0; i < tensor_count_; ++i) stated_.push_back(read_tensor());
  check_names();
}

// Sorted by place, the tensors follow each other inside the file.
void GgufReader::place_tensors() {
  const auto size = static_cast<std::int64_t>(file_.size());
  const auto end = static_cast<std::int64_t>(at_.position());
  header_.data_offset_bytes = (end + header_.alignment - 1) / header_.alignment * header_.alignment;
  const std::int64_t room = size - header_.data_offset_bytes;
  std::ranges::sort(stated_, [](const StatedGguf& a, const StatedGguf& b) {
    return std::tie(a.begin, a.bytes, a.name) < std::tie(b.begin, b.bytes, b.name);
  });
  if (stated_.empty()) return;  // then the file may end before the data would begin
  std::int64_t last = 0;
  for (const StatedGguf& tensor : stated_) last = std::max(last, tensor.begin + tensor.bytes);
  check(last <= room, ErrorKind::io, where_, "is truncated: ", size, " bytes, expected ",
        static_cast<std::uint64_t>(last) + static_cast<std::uint64_t>(header_.data_offset_bytes),
        " from its header: download or copy it again");
  std::int64_t position = 0;
  for (std::size_t i = 0; i < stated_.size(); ++i) {
    StatedGguf& tensor = stated_[i];
    require(tensor.begin >= position || fault(507), "tensor ", in_quotes(tensor.name),
            " begins at byte ", tensor.begin,
            " of the data, inside the tensor before it, which ends at ", position);
    const std::int64_t next = i + 1 < stated_.size() ? stated_[i + 1].begin : room;
    if (tensor.known == nullptr) tensor.bytes = next - tensor.begin;
    position = tensor.begin + tensor.bytes;
  }
}

}  // namespace

GgufHeader parse_gguf(std::span<const std::byte> file, std::string_view where) {
  return GgufReader(file, where).read();
}

GgufFile::GgufFile(std::string path)
    : GgufFile(std::make_shared<const MappedFile>(std::move(path))) {}

GgufFile::GgufFile(std::shared_ptr<const MappedFile> file)
    : GgufFile(file, parse_gguf(file->bytes(), file->path())) {}

GgufFile::GgufFile(std::shared_ptr<const MappedFile> file, GgufHeader header)
    : TensorSource(file->path(), {file}, std::move(header.tensors)),
      metadata_(file->bytes(), file->path(), std::move(header.metadata)),
      version_(header.version) {}

}  // namespace ffn::inline v0
