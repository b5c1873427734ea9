// The files that failures leave, and the schedules that are read from files.

#include "clotho/sim/report/artifacts.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/findings_text.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::string Read(const std::string& path) {
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

// A folder of its own for each test.
class ArtifactsTest : public testing::Test {
 protected:
  ArtifactsTest()
      : folder_(absl::StrCat(
            testing::TempDir(), "/results-", getpid(), "-",
            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::create_directories(folder_);
  }
  ~ArtifactsTest() override { std::filesystem::remove_all(folder_); }

  std::set<std::string> Names(const std::string& folder) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      names.insert(entry.path().filename());
    }
    return names;
  }

  const std::string folder_;
};

// ---- Files. ----

TEST(FileNameTest, HasNothingThatIsNotForFiles) {
  EXPECT_EQ(FileName("Suite.Name"), "Suite.Name");
  EXPECT_EQ(FileName("All/Suite.Name/0"), "All-Suite.Name-0");
  EXPECT_EQ(FileName("../a b\n"), "..-a-b-");
}

TEST_F(ArtifactsTest, AFileIsReplacedAsAWhole) {
  const std::string path = folder_ + "/file";
  ASSERT_TRUE(WriteFile(path, "first").ok());
  ASSERT_TRUE(WriteFile(path, std::string("sec\0ond", 7)).ok());
  EXPECT_EQ(Read(path), std::string("sec\0ond", 7));
  EXPECT_THAT(Names(folder_), ElementsAre("file"));
}

TEST_F(ArtifactsTest, AFolderThatIsNotThereIsNamed) {
  const absl::Status status = WriteFile(folder_ + "/no/file", "text");
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(folder_ + "/no/file"),
                    HasSubstr("No such file or directory")));
}

// Limits the size of files while it exists, like a full disk.
class SizeLimit {
 public:
  explicit SizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_;
  void (*const handler_)(int);
};

TEST_F(ArtifactsTest, AFileThatDoesNotFitLeavesTheOldOne) {
  const std::string path = folder_ + "/file";
  ASSERT_TRUE(WriteFile(path, "old").ok());
  for (const std::size_t size : {std::size_t{2'000}, std::size_t{1'000'000}}) {
    absl::Status status;
    {
      const SizeLimit limit(1'000);
      status = WriteFile(path, std::string(size, 'x'));
    }
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(status.message()), HasSubstr(path));
    EXPECT_EQ(Read(path), "old");
    EXPECT_THAT(Names(folder_), ElementsAre("file"));
  }
}

// ---- Artifacts of a failure. ----

Coro<void> Append(std::string* log, char name) {
  for (int i = 0; i < 2; ++i) {
    *log += name;
    co_await Sleep(absl::ZeroDuration());
  }
}

Coro<void> InTurns() {
  struct State {
    std::string log;
  } state;
  Task<void> a = CreateTask(Append(&state.log, 'a'));
  Task<void> b = CreateTask(Append(&state.log, 'b'));
  co_await a;
  co_await b;
  Always(state.log == "abab", "they take turns");
}

Report Failed() { return Explore(InTurns, Random{.schedules = 1'000}); }

TEST_F(ArtifactsTest, AFailureLeavesReportTracesAndSchedule) {
  Report report = Failed();
  ASSERT_FALSE(report.passed());
  const std::string out = folder_ + "/a/b";
  EXPECT_TRUE(WriteArtifacts(out, "All/Suite.Name/0", report).ok());
  const std::string own = out + "/All-Suite.Name-0";
  ASSERT_TRUE(report.files.has_value());
  EXPECT_EQ(FilesText(*report.files),
            own +
                "/\nreport.txt  trace.json  trace.chrome.json  "
                "All-Suite.Name-0.saved");
  EXPECT_THAT(Names(own), ElementsAre("All-Suite.Name-0.saved", "report.txt",
                                      "trace.chrome.json", "trace.json"));
  EXPECT_EQ(Read(own + "/report.txt"), report.Text());
  EXPECT_THAT(report.Text(), HasSubstr("\nFILES     " + own));
  const std::string trace = Read(own + "/trace.json");
  EXPECT_THAT(trace, AllOf(StartsWith("{\"clotho_trace\":1,\n"),
                           HasSubstr("\"test\":\"All/Suite.Name/0\""),
                           HasSubstr(FormatReplay(report.replay))));
  EXPECT_THAT(Read(own + "/trace.chrome.json"), HasSubstr("\"traceEvents\""));
}

TEST_F(ArtifactsTest, WhatIsLeftCanBeSaved) {
  Report report = Failed();
  EXPECT_TRUE(WriteArtifacts(folder_, "Suite.Name", report).ok());
  const auto saved = ReadSaved(folder_ + "/Suite.Name/Suite.Name.saved");
  ASSERT_TRUE(saved.ok()) << saved.status();
  ASSERT_THAT(*saved, SizeIs(1));
  EXPECT_EQ(saved->front().replay, FormatReplay(report.replay));
  EXPECT_EQ(saved->front().note, report.failure()->signature);
}

TEST_F(ArtifactsTest, AFolderThatCannotBeMadeIsInTheReport) {
  std::ofstream(folder_ + "/file") << "in the way";
  Report report = Failed();
  EXPECT_FALSE(WriteArtifacts(folder_ + "/file", "Suite.Name", report).ok());
  EXPECT_THAT(report.Text(), HasSubstr(absl::StrCat(
                                 "FILES     none: cannot make the folder \"",
                                 folder_, "/file/Suite.Name\": ")));
}

TEST_F(ArtifactsTest, ADiskThatIsFullIsInTheReport) {
  Report report = Failed();
  {
    const SizeLimit limit(100);
    EXPECT_FALSE(WriteArtifacts(folder_, "Suite.Name", report).ok());
  }
  EXPECT_THAT(report.Text(),
              HasSubstr("FILES     incomplete: cannot write \""));
  EXPECT_THAT(Names(folder_ + "/Suite.Name"), IsEmpty());
}

TEST_F(ArtifactsTest, WithoutASchedule) {
  Report report;
  report.Diverge("something");
  EXPECT_TRUE(WriteArtifacts(folder_, "Suite.Name", report).ok());
  EXPECT_THAT(Names(folder_ + "/Suite.Name"), ElementsAre("report.txt"));
  EXPECT_THAT(Read(folder_ + "/Suite.Name/report.txt"),
              AllOf(HasSubstr("something"), HasSubstr("FILES     ")));
}

TEST_F(ArtifactsTest, UnderBazelTheyAreInItsArchive) {
  ASSERT_EQ(setenv("TEST_UNDECLARED_OUTPUTS_DIR", folder_.c_str(), 1), 0);
  const char* const target = std::getenv("TEST_TARGET");
  const std::string before = target == nullptr ? "" : target;
  ASSERT_EQ(setenv("TEST_TARGET", "//shop/web:cart_test", 1), 0);
  Report report = Failed();
  EXPECT_TRUE(WriteArtifacts(folder_, "Suite.Name", report).ok());
  ASSERT_TRUE(report.files.has_value());
  EXPECT_EQ(FilesText(*report.files),
            "Suite.Name/  report.txt  trace.json  trace.chrome.json  "
            "Suite.Name.saved\n"
            "in outputs.zip below bazel-testlogs/shop/web/cart_test/");
  unsetenv("TEST_UNDECLARED_OUTPUTS_DIR");
  if (target == nullptr) {
    unsetenv("TEST_TARGET");
  } else {
    setenv("TEST_TARGET", before.c_str(), 1);
  }
}

// ---- Saved schedules. ----

class SavedTest : public ArtifactsTest {
 protected:
  absl::StatusOr<std::vector<SavedSchedule>> ReadText(std::string_view text) {
    std::ofstream(Path()) << text;
    return ReadSaved(Path());
  }
  std::string Path() const { return folder_ + "/Suite.Name.saved"; }
};

TEST(SavedFileTest, IsBesideTheTestOrWhereOneSays) {
  EXPECT_EQ(SavedFile("", "shop/cart_test.cc", "Cart.Fills"),
            "shop/testdata/clotho/Cart.Fills.saved");
  EXPECT_EQ(SavedFile("", "/src/cart_test.cc", "All/Cart.Fills/0"),
            "/src/testdata/clotho/All-Cart.Fills-0.saved");
  EXPECT_EQ(SavedFile("", "cart_test.cc", "Cart.Fills"),
            "testdata/clotho/Cart.Fills.saved");
  EXPECT_EQ(SavedFile("saved", "shop/cart_test.cc", "Cart.Fills"),
            "saved/Cart.Fills.saved");
}

TEST_F(SavedTest, AFileThatIsNotThereHasNone) {
  const auto saved = ReadSaved(folder_ + "/none.saved");
  ASSERT_TRUE(saved.ok());
  EXPECT_THAT(*saved, IsEmpty());
}

TEST_F(SavedTest, ALineIsAScheduleAndWhatIsToBeRememberedOfIt) {
  const auto saved = ReadText(
      "# Two of them.\n"
      "c1/0/4:1/b7e2  2031-05-02  job_queue.cc:25 Always  issue 212\n"
      "\n"
      "   \t\r\n"
      "  # Indented.\n"
      "\tc1/8f/fifo\r\n"
      "c1/0/9:t  ");
  ASSERT_TRUE(saved.ok()) << saved.status();
  ASSERT_THAT(*saved, SizeIs(3));
  EXPECT_EQ((*saved)[0].replay, "c1/0/4:1/b7e2");
  EXPECT_EQ((*saved)[0].note, "2031-05-02  job_queue.cc:25 Always  issue 212");
  EXPECT_EQ((*saved)[0].place, Path() + ":2");
  EXPECT_EQ((*saved)[1].replay, "c1/8f/fifo");
  EXPECT_EQ((*saved)[1].note, "");
  EXPECT_EQ((*saved)[1].place, Path() + ":6");
  EXPECT_EQ((*saved)[2].replay, "c1/0/9:t");
  EXPECT_EQ((*saved)[2].note, "");
}

TEST_F(SavedTest, ALineThatDoesNotParseIsQuoted) {
  const struct {
    std::string_view line;
    std::string_view message;
  } cases[] = {
      {"c1/0/4:x issue 3", "choice \"x\" is not a number"},
      {"nonsense", "format version \"nonsense\" is unknown"},
      {"c1/0/+random:3", "expected deviations from FIFO order"},
      {"c1/0/@other.saved", "expected deviations from FIFO order"},
  };
  for (const auto& [line, message] : cases) {
    const auto saved =
        ReadText(absl::StrCat("c1/0/4:1\n", std::string(line), "\nc1/0/5:1\n"));
    ASSERT_FALSE(saved.ok()) << line;
    EXPECT_THAT(std::string(saved.status().message()),
                AllOf(StartsWith(absl::StrCat(Path(), ":2: \"",
                                              std::string(line), "\": ")),
                      HasSubstr(std::string(message))));
  }
}

TEST_F(SavedTest, ALongLineIsQuotedShort) {
  const auto saved = ReadText(std::string(1'000'000, '7') + "\n");
  ASSERT_FALSE(saved.ok());
  EXPECT_LT(saved.status().message().size(), 1'000u);
}

TEST_F(SavedTest, WhatCannotBeReadIsAnError) {
  std::filesystem::create_directory(Path());
  const auto saved = ReadSaved(Path());
  ASSERT_FALSE(saved.ok());
  EXPECT_THAT(std::string(saved.status().message()), HasSubstr(Path()));
}

TEST_F(SavedTest, TheyRunBeforeTheSearch) {
  const Report found = Failed();
  Search search = MakeSearch(Fifo());
  search.saved = *ReadText(
      absl::StrCat("c1/0/1:7\n", FormatReplay(found.replay), "  issue 212\n"));
  const Report report = RunSearch(InTurns, search, "test");
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.search.executions, 2u);
  EXPECT_EQ(report.failure()->signature, found.failure()->signature);
  ASSERT_TRUE(report.saved.has_value());
  EXPECT_EQ(SavedText(*report.saved),
            absl::StrCat("the saved schedule ", FormatReplay(found.replay),
                         " of ", Path(), ":2, issue 212"));
  // The first one has drifted, which is not a failure.
  EXPECT_THAT(report.drifted,
              ElementsAre(AllOf(
                  StartsWith(absl::StrCat("c1/0/1:7 of ", Path(), ":1: ")),
                  HasSubstr("deviation 1:7 does not apply"))));
}

}  // namespace
}  // namespace clotho::sim::internal
