#include "clotho/sim/search/event_log.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

using testing::HasSubstr;

std::string Folder(const std::string& name) {
  return absl::StrCat(testing::TempDir(), "/event_log-", getpid(), "-", name);
}

std::string Read(const std::string& folder) {
  std::stringstream content;
  content << std::ifstream(folder + "/results.jsonl").rdbuf();
  return content.str();
}

TEST(EventLogTest, LinesAreAdded) {
  const std::string folder = Folder("lines") + "/below";
  EventLog first;
  EXPECT_FALSE(first.is_open());
  EXPECT_TRUE(first.Write("nobody reads it").ok());
  ASSERT_TRUE(first.Open(folder).ok());
  EXPECT_TRUE(first.Write("{\"a\": 1}").ok());
  {
    EventLog second;  // Another process.
    ASSERT_TRUE(second.Open(folder).ok());
    EXPECT_TRUE(second.Write("{\"b\": 2}").ok());
  }
  EXPECT_TRUE(first.Write("{\"c\": 3}").ok());
  EXPECT_EQ(Read(folder), "{\"a\": 1}\n{\"b\": 2}\n{\"c\": 3}\n");
}

TEST(EventLogTest, AFolderThatCannotBeMadeIsNamed) {
  const std::string file = Folder("in_the_way");
  std::ofstream(file) << "in the way";
  EventLog event_log;
  EXPECT_THAT(std::string(event_log.Open(file + "/out").message()),
              HasSubstr("cannot make the folder \"" + file + "/out\": "));
  EXPECT_FALSE(event_log.is_open());
}

// A full disk; a line takes its last bytes.
TEST(EventLogTest, NoHalfLineStays) {
  const std::string folder = Folder("full");
  EventLog event_log;
  ASSERT_TRUE(event_log.Open(folder).ok());
  ASSERT_TRUE(event_log.Write("0123456789").ok());
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit little = {.rlim_cur = 16, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &little), 0);
  const std::string message(event_log.Write("abcdefghij").message());
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, HasSubstr("cannot write \"" + folder));
  EXPECT_EQ(Read(folder), "0123456789\n");
  EXPECT_TRUE(event_log.Write("again").ok());
  EXPECT_EQ(Read(folder), "0123456789\nagain\n");
}

}  // namespace
}  // namespace clotho::sim::internal
