// The page on which the text of a report stands.

#ifndef CLOTHO_SIM_REPORT_LAYOUT_H_
#define CLOTHO_SIM_REPORT_LAYOUT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace clotho::sim::internal {

inline constexpr std::size_t kPageWidth = 100;
// Left of the text, for WHAT and the other headings.
inline constexpr std::size_t kPageMargin = 10;

// The text, cut or filled with spaces to exactly this width.
inline std::string Cell(std::string_view text, std::size_t width) {
  std::string cell(text.substr(0, width));
  cell.resize(width, ' ');
  return cell;
}

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_LAYOUT_H_
