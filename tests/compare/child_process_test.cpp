#include "ffn/compare/child_process.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "io/files.h"

namespace ffn {
namespace {

using namespace std::chrono_literals;
using testing_io::TemporaryFolder;

ChildStatus wait_for(ChildProcess& child) {
  while (true) {
    if (const auto status = child.poll()) return *status;
    std::this_thread::sleep_for(1ms);
  }
}

ChildStatus shell(const std::string& script) {
  ChildProcess child("/bin/sh", {"-c", script});
  return wait_for(child);
}

TEST(ChildProcess, TellsHowItEnded) {
  EXPECT_TRUE(shell("exit 0").ok());
  EXPECT_EQ(shell("exit 3").exit_code, 3);
  const ChildStatus killed = shell("kill -KILL $$");
  EXPECT_EQ(killed.signal, SIGKILL);
  EXPECT_FALSE(killed.ok());
  ChildProcess missing("/nothing/here", {});
  EXPECT_EQ(wait_for(missing).exit_code, 127);
}

TEST(ChildProcess, IsInterruptedOnceAndWaitedFor) {
  const TemporaryFolder folder;
  const std::string ready = (folder / "ready").string(), ended = (folder / "ended").string();
  {
    ChildProcess child("/bin/sh", {"-c", "trap 'touch " + ended + "; exit 0' INT; touch " + ready +
                                             "; while :; do sleep 0.01; done"});
    while (!std::filesystem::exists(ready)) std::this_thread::sleep_for(1ms);
    child.interrupt();
    child.interrupt();  // no second signal: it would kill a run that is saving
    EXPECT_TRUE(wait_for(child).ok());
    EXPECT_TRUE(std::filesystem::exists(ended));
    std::filesystem::remove(ended);
    std::filesystem::remove(ready);
  }
  {
    const ChildProcess child("/bin/sh", {"-c", "trap 'touch " + ended + "; exit 0' INT; touch " +
                                                   ready + "; while :; do sleep 0.01; done"});
    while (!std::filesystem::exists(ready)) std::this_thread::sleep_for(1ms);
  }
  EXPECT_TRUE(std::filesystem::exists(ended));  // the destructor waited
}

}  // namespace
}  // namespace ffn
