// How a test program presents its results: in colours, as annotations of a code
// review, and in lines for other programs.

#ifndef CLOTHO_SIM_REPORT_CONSOLE_H_
#define CLOTHO_SIM_REPORT_CONSOLE_H_

#include <string>
#include <string_view>

namespace clotho::sim::internal {

enum class Color { kAuto, kAlways, kNever };

// A report for a terminal: headings in bold, deviations and the failing step in
// colours. Apart from the colours, the text is unchanged.
std::string Painted(std::string_view report);

// A line that GitHub's runner turns into an annotation at this place in the
// source, with the report as its body.
std::string GithubError(std::string_view file, int line, std::string_view title,
                        std::string_view report);

// Reserves standard output: whatever else the program prints there from now on
// goes to standard error. Returns the descriptor of the original standard
// output.
int KeepStandardOutput();

// From now on GoogleTest's printer prints failures in colours; the result files
// that it writes stay without colours. Auto: if standard output is a terminal
// with colours.
void PrintInColor(Color color);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_CONSOLE_H_
