// How a test program tells what it has found: in colours, as annotations of a
// code review, in lines for other programs.

#ifndef CLOTHO_SIM_REPORT_CONSOLE_H_
#define CLOTHO_SIM_REPORT_CONSOLE_H_

#include <string>
#include <string_view>

namespace clotho::sim::internal {

enum class Color { kAuto, kAlways, kNever };

// A report with its headings in bold, and with its deviations and its failing
// step in colours, as a terminal shows them. The text without them is the same.
std::string Painted(std::string_view report);

// A line that GitHub's runner makes an annotation of: at this place of the
// source, with the report below it.
std::string GithubError(std::string_view file, int line, std::string_view title,
                        std::string_view report);

// Keeps standard output for one use: what the program prints there from now on
// goes to standard error. Returns its descriptor.
int KeepStandardOutput();

// GoogleTest's printer prints failures in colours from here on; the results
// that it writes to files stay fifo. Auto: if standard output is a terminal
// that has colours.
void PrintInColor(Color color);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_CONSOLE_H_
