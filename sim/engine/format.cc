#include "clotho/sim/engine/format.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace clotho::sim::internal {

std::string Wrap(std::string_view text, std::size_t width, std::size_t indent) {
  std::string wrapped;
  std::size_t used = 0;  // Characters in the current line.
  // The last space in `wrapped` where the line may break.
  std::size_t breakable = 0;
  for (const char c : text) {
    if (c == '\n') {
      wrapped += c;
      used = 0;
      breakable = 0;
      continue;
    }
    if (c == ' ' && used > indent) breakable = wrapped.size();
    wrapped += c;
    ++used;
    if (used <= width || breakable == 0) continue;
    const std::string rest = wrapped.substr(breakable + 1);
    wrapped.resize(wrapped.find_last_not_of(' ', breakable) + 1);
    wrapped += "\n" + std::string(indent, ' ') + rest;
    used = indent + rest.size();
    breakable = 0;
  }
  return wrapped;
}

}  // namespace clotho::sim::internal
