#include "ffn/bench/machine_limits.h"

#include <gtest/gtest.h>

#include "ffn/bench/limit_loops.h"
#include "io/files.h"

namespace ffn {
namespace {

using testing_io::TemporaryFolder;
using testing_io::to_bytes;
using testing_io::write_file;

void write_cache(const TemporaryFolder& folder, const std::string& index, const char* level,
                 const char* type, const char* size) {
  const std::filesystem::path path = folder / index;
  std::filesystem::create_directory(path);
  write_file(path / "level", to_bytes(level));
  write_file(path / "type", to_bytes(type));
  write_file(path / "size", to_bytes(size));
}

TEST(CacheSizes, AreTheSystemsOwn) {
  const TemporaryFolder folder;
  write_cache(folder, "index0", "1\n", "Data\n", "48K\n");
  write_cache(folder, "index1", "1\n", "Instruction\n", "64K\n");
  write_cache(folder, "index2", "2\n", "Unified\n", "2048K\n");
  write_cache(folder, "index3", "3\n", "Unified\n", "36M\n");
  EXPECT_EQ(read_cache_sizes(folder.path().string()), (CacheSizes{48 << 10, 2 << 20, 36 << 20}));
}

TEST(CacheSizes, NonsenseIsNotTaken) {
  const TemporaryFolder empty, folder;
  const CacheSizes known = read_cache_sizes(empty.path().string());
  EXPECT_GT(known.l1_bytes, 0);
  EXPECT_GT(known.l3_bytes, 0);
  write_cache(folder, "index0", "1\n", "Data\n", "-3K\n");
  write_cache(folder, "index1", "2\n", "Unified\n", "many\n");
  write_cache(folder, "index2", "3\n", "Unified\n", "99999999999999999999M\n");
  EXPECT_EQ(read_cache_sizes(folder.path().string()), known);
}

TEST(MachineLimits, EveryLoopRunsAndCountsItsWork) {
  for (const Isa isa : supported_isas()) {
    const LimitLoops& loops = limit_loops(isa);
    ASSERT_NE(loops.f32, nullptr);
    EXPECT_EQ(loops.f32(0), 0);
    EXPECT_EQ(loops.f32(30), 30 * loops.f32(1));
    EXPECT_EQ(has_arithmetic(isa, Arithmetic::bf16), loops.bf16 != nullptr);
    // Two and four multiply-adds where f32 has one.
    if (loops.bf16 != nullptr) {
      EXPECT_EQ(loops.bf16(3), 2 * loops.f32(3));
    }
    if (loops.int8 != nullptr) {
      EXPECT_EQ(loops.int8(3), 4 * loops.f32(3));
    }
    const std::vector<float> data(3 * kReadUnit, 1.0f);
    for (const LimitLoops::Read read : {loops.read, loops.read_apart}) {
      read(data.data(), 3 * kReadUnit - 1, 2);
      read(data.data(), 0, 1);
    }
  }
}

TEST(MachineLimits, EveryOneIsMeasured) {
  const auto pool = make_thread_pool(2);
  const CacheSizes caches{16 << 10, 64 << 10, 1 << 20};
  const Isa isa = choose_isa();
  const MachineLimits limits = measure_limits(isa, *pool, caches, 0.1);
  EXPECT_EQ(limits.one.threads, 1);
  EXPECT_EQ(limits.all.threads, 2);
  for (const SpeedLimits& speeds : {limits.one, limits.all}) {
    for (const double speed :
         {speeds.f32_gflops, speeds.l1_gbps, speeds.l2_gbps, speeds.l3_gbps, speeds.memory_gbps})
      EXPECT_GT(speed, 0);
    EXPECT_EQ(speeds.bf16_gflops > 0, has_arithmetic(isa, Arithmetic::bf16));
    EXPECT_EQ(speeds.int8_gflops > 0, has_arithmetic(isa, Arithmetic::int8));
  }
}

TEST(MachineLimits, AWorkingSetBelongsToTheSmallestLevelThatHoldsIt) {
  const CacheSizes caches{1000, 10'000, 100'000};
  const SpeedLimits limits{2, 1, 0, 0, 40, 30, 20, 10};
  EXPECT_EQ(level_for(limits, caches, 2000).name, "L1");  // a half for each thread
  EXPECT_EQ(level_for(limits, caches, 20'000).name, "L2");
  EXPECT_EQ(level_for(limits, caches, 20'002).name, "L3");
  EXPECT_EQ(level_for(limits, caches, 100'001).gbps, 10);
}

}  // namespace
}  // namespace ffn
