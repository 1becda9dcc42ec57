#include "ffn/io/cifar.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::int64_t kLimit = 1 << 20;
  for (const ffn::CifarKind kind : {ffn::CifarKind::cifar10, ffn::CifarKind::cifar100}) {
    ffn::fuzz::run(data, size, [kind](std::span<const std::byte> file) {
      const ffn::CifarArray array = ffn::parse_cifar(file, kind, "fuzz", kLimit);
      ffn::fuzz::require(array.count > 0, "a file without records is refused");
      ffn::fuzz::require(
          array.count * ffn::cifar_record_bytes(kind) == static_cast<std::int64_t>(file.size()),
          "records fill the file");
      ffn::fuzz::require(
          static_cast<std::int64_t>(array.pixels.size()) == array.count * ffn::kCifarPixels,
          "pixels = records");
      for (const std::uint8_t label : array.labels)
        ffn::fuzz::require(label < ffn::cifar_classes(kind), "labels are in range");
    });
  }
  return 0;
}
