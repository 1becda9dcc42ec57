#include "ffn/train/expert_record.h"

#include <gtest/gtest.h>

#include <string>

#include "ffn/train/checkpoint_files.h"
#include "ffn/train/read_metrics.h"
#include "io/files.h"

namespace ffn {
namespace {

using namespace testing_io;

RouterHealth made_up_router(std::int64_t layer, const char* part) {
  ExpertLoad load;
  load.slots = {5, 0, 3.25, 1.0 / 3};
  load.tokens = 7;
  load.entropy_sum = 7 * 0.3;
  load.offered = 9;
  load.dropped = 2;
  RouterHealth router{{layer, part}, 2, health_of(load), {0, 2, 3, 0}};
  return router;
}

void expect_equal(const RouterHealth& a, const RouterHealth& b) {
  EXPECT_EQ(a.place, b.place);
  EXPECT_EQ(a.top, b.top);
  EXPECT_EQ(a.health.effective_experts, b.health.effective_experts);
  EXPECT_EQ(a.health.largest_share, b.health.largest_share);
  EXPECT_EQ(a.health.router_entropy, b.health.router_entropy);
  EXPECT_EQ(a.health.dropped_share, b.health.dropped_share);
  EXPECT_EQ(a.health.dead_experts, b.health.dead_experts);
  EXPECT_EQ(a.health.load, b.health.load);
}

std::string text_of(const std::filesystem::path& path) {
  const Bytes bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// `text` with every one of these exchanges must be refused for the reason beside it.
struct Damage {
  std::string_view from, to, says;
};
constexpr Damage kDamages[] = {
    {"\"layer\":0", "\"layer\":-1", "is no integer"},
    {"\"part\":\"up\"", "\"part\":1", "is no text"},
    {"\"top\":2", "\"tops\":2", "lacks the key"},
    {"\"dead_experts\":1", "\"dead_experts\":0", "'dead_experts' is 0, its load says 1"},
    {"\"effective_experts\":2", "\"effective_experts\":3", "'effective_experts' is 3"},
    {"\"largest_share\":0.5", "\"largest_share\":0.6", "'largest_share' is 0.6"},
    {"\"router_entropy\":0", "\"router_entropy\":1", "'router_entropy' is 1.3, no share"},
    {"\"dropped_share\":0", "\"dropped_share\":-0", "'dropped_share' is -0.2"},
    {"\"load\":[0.5", "\"load\":[0.4", "adds up to"},
    {"\"load\":[", "\"load\":[null,", "something else than numbers"},
    {"\"load\":[", "\"load\":[-0.5,0.5,", "no share"},
    {"\"load\":[", "\"colour\":[],\"load\":[", "unknown key"},
};

template <class Read>
void expect_damages(const std::filesystem::path& path, const Read& read) {
  const std::string good = text_of(path);
  for (const Damage& damage : kDamages) {
    std::string text = good;
    const std::size_t at = text.find(damage.from);
    ASSERT_NE(at, std::string::npos) << damage.from;
    write_file(path, to_bytes(text.replace(at, damage.from.size(), damage.to)));
    SCOPED_TRACE(damage.to);
    expect_error(ErrorKind::io, {path.filename().string(), damage.says}, read);
  }
  write_file(path, to_bytes(good));
}

TEST(ExpertRecord, ComesBackAsItWas) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  EXPECT_FALSE(has_expert_record(path));
  const std::vector<RouterHealth> routers{made_up_router(0, "up"), made_up_router(1, "")};
  write_expert_record(path, routers);
  EXPECT_TRUE(has_expert_record(path));
  const std::vector<RouterHealth> read = read_expert_record(path);
  ASSERT_EQ(read.size(), 2u);
  for (std::size_t i = 0; i < read.size(); ++i) {
    expect_equal(read[i], routers[i]);
    EXPECT_EQ(read[i].first_choices, routers[i].first_choices);
  }
}

TEST(ExpertRecord, DamageIsRefused) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  write_expert_record(path, {made_up_router(0, "up")});
  expect_damages(folder / "experts.json", [&] { read_expert_record(path); });
  const std::string good = text_of(folder / "experts.json");
  for (const auto& [from, to, says] :
       {Damage{"[0,2,3,0]", "[0,2,4,0]", "names an expert that is not there"},
        Damage{"[0,2,3,0]", "[0,2,-1,0]", "names an expert that is not there"},
        Damage{"\"schema\":1", "\"schema\":2", "has schema 2"},
        Damage{"]}", "],\"more\":1}", "unknown key"}}) {
    std::string text = good;
    write_file(folder / "experts.json", to_bytes(text.replace(text.rfind(from), from.size(), to)));
    expect_error(ErrorKind::io, {"experts.json", says}, [&] { read_expert_record(path); });
  }
  for (std::size_t length = 0; length + 1 < good.size(); ++length) {
    write_file(folder / "experts.json", to_bytes(good.substr(0, length)));
    EXPECT_THROW(read_expert_record(path), Error) << length;
  }
}

TEST(ExpertMetrics, AreReadBackLineByLine) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  const RouterHealth router = made_up_router(0, "up");
  {
    MetricsLog log(metrics_path(path));
    log.append(expert_metrics(40, router));
    log.append(expert_metrics(80, made_up_router(3, "")));
  }
  const RunMetrics metrics = read_metrics(path);
  ASSERT_EQ(metrics.experts.size(), 2u);
  EXPECT_TRUE(metrics.steps.empty());
  EXPECT_EQ(metrics.experts[0].step, 40);
  expect_equal(metrics.experts[0].router, router);
  EXPECT_EQ(metrics.experts[1].router.place.layer, 3);
  expect_damages(folder / "metrics.jsonl", [&] { read_metrics(path); });
}

// What was counted since the last validation is part of where a run stands.
TEST(ExpertCheckpoint, ManifestsHoldTheCounts) {
  Manifest manifest;
  EXPECT_EQ(manifest_text(manifest).find("experts"), std::string::npos);
  RouterLoad load{{2, "up"}, 2, true, {{1.0 / 3, 0, 5}, 0.7, 12, 24, 3}};
  manifest.position.experts = {load};
  const TemporaryFolder folder;
  write_file(folder / kManifestFile, to_bytes(manifest_text(manifest)));
  for (const char* name : {kModelFile, kOptimizerFile}) {
    write_file(folder / name, to_bytes("x"));
    manifest.files.push_back(describe_file(folder.path().string(), name));
  }
  write_file(folder / kManifestFile, to_bytes(manifest_text(manifest)));
  const Manifest read = validate_checkpoint(folder.path().string(), 0);
  EXPECT_EQ(read.position, manifest.position);
  EXPECT_EQ(read.position.experts.at(0), load);
}

}  // namespace
}  // namespace ffn
