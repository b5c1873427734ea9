#include "clotho/sim/report/console.h"

#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

constexpr std::string_view kBold = "\033[1m";
constexpr std::string_view kRed = "\033[1;31m";
constexpr std::string_view kYellow = "\033[33m";
constexpr std::string_view kPlain = "\033[0m";

// "REPLAY    c1/0/4:1" has a heading of six letters in a column of ten.
std::size_t HeadingSize(std::string_view line) {
  constexpr std::size_t kColumn = 10;
  std::size_t size = 0;
  while (size < line.size() && line[size] >= 'A' && line[size] <= 'Z') ++size;
  if (line == "TURNING POINT") return line.size();
  if (size < 2 || size >= kColumn || line.size() <= kColumn) return 0;
  const std::string_view gap = line.substr(size, kColumn - size);
  return gap.find_first_not_of(' ') == gap.npos ? size : 0;
}

std::string PaintedLine(std::string_view line) {
  std::string_view color = kBold;
  std::size_t size = HeadingSize(line);
  // Steps of the trace.
  if (line.substr(0, 2) == "X ") {
    color = kRed;
    size = line.size();
  } else if (line.substr(0, 2) == "* ") {
    color = kYellow;
    size = line.size();
  }
  if (size == 0) return std::string(line);
  std::string text(color);
  text += line.substr(0, size);
  text += kPlain;
  text += line.substr(size);
  return text;
}

bool IsColorTerminal() {
  const char* const terminal = std::getenv("TERM");
  return terminal != nullptr && std::string_view(terminal) != "dumb" &&
         *terminal != '\0' && isatty(STDOUT_FILENO) != 0;
}

// Passes everything to a printer, failures in colours.
class Painter final : public testing::TestEventListener {
 public:
  explicit Painter(testing::TestEventListener* printer) : printer_(printer) {}

  void OnTestProgramStart(const testing::UnitTest& tests) override {
    printer_->OnTestProgramStart(tests);
  }
  void OnTestIterationStart(const testing::UnitTest& tests,
                            int iteration) override {
    printer_->OnTestIterationStart(tests, iteration);
  }
  void OnEnvironmentsSetUpStart(const testing::UnitTest& tests) override {
    printer_->OnEnvironmentsSetUpStart(tests);
  }
  void OnEnvironmentsSetUpEnd(const testing::UnitTest& tests) override {
    printer_->OnEnvironmentsSetUpEnd(tests);
  }
  void OnTestSuiteStart(const testing::TestSuite& suite) override {
    printer_->OnTestSuiteStart(suite);
  }
  void OnTestStart(const testing::TestInfo& test) override {
    printer_->OnTestStart(test);
  }
  void OnTestDisabled(const testing::TestInfo& test) override {
    printer_->OnTestDisabled(test);
  }
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return printer_->OnTestPartResult(result);
    printer_->OnTestPartResult(testing::TestPartResult(
        result.type(), result.file_name(), result.line_number(),
        Painted(result.message()).c_str()));
  }
  void OnTestEnd(const testing::TestInfo& test) override {
    printer_->OnTestEnd(test);
  }
  void OnTestSuiteEnd(const testing::TestSuite& suite) override {
    printer_->OnTestSuiteEnd(suite);
  }
  void OnEnvironmentsTearDownStart(const testing::UnitTest& tests) override {
    printer_->OnEnvironmentsTearDownStart(tests);
  }
  void OnEnvironmentsTearDownEnd(const testing::UnitTest& tests) override {
    printer_->OnEnvironmentsTearDownEnd(tests);
  }
  void OnTestIterationEnd(const testing::UnitTest& tests,
                          int iteration) override {
    printer_->OnTestIterationEnd(tests, iteration);
  }
  void OnTestProgramEnd(const testing::UnitTest& tests) override {
    printer_->OnTestProgramEnd(tests);
  }

 private:
  const std::unique_ptr<testing::TestEventListener> printer_;
};

}  // namespace

std::string Painted(std::string_view report) {
  std::string text;
  while (true) {
    const std::size_t end = report.find('\n');
    text += PaintedLine(report.substr(0, end));
    if (end == report.npos) return text;
    text += '\n';
    report.remove_prefix(end + 1);
  }
}

std::string GithubError(std::string_view file, int line, std::string_view title,
                        std::string_view report) {
  // Escaped like in the runner's own toolkit.
  const auto text = [](std::string_view value) {
    return absl::StrReplaceAll(std::string(value),
                               {{"%", "%25"}, {"\r", "%0D"}, {"\n", "%0A"}});
  };
  const auto property = [&](std::string_view value) {
    return absl::StrReplaceAll(text(value), {{":", "%3A"}, {",", "%2C"}});
  };
  return absl::StrCat("::error file=", property(file), ",line=", line,
                      ",title=", property(title), "::", text(report));
}

int KeepStandardOutput() {
  std::fflush(stdout);
  const int saved = dup(STDOUT_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  return saved;
}

void PrintInColor(Color color) {
  if (color == Color::kNever) return;
  if (color == Color::kAuto && !IsColorTerminal()) return;
  testing::TestEventListeners& listeners =
      testing::UnitTest::GetInstance()->listeners();
  testing::TestEventListener* const printer =
      listeners.Release(listeners.default_result_printer());
  if (printer != nullptr) listeners.Append(new Painter(printer));
}

}  // namespace clotho::sim::internal
