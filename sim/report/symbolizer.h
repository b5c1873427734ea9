// Symbolizer: names the functions and lines of return addresses, for reports
// about threads.
//
// Lines are known if the program was compiled with debug information (-g1
// suffices) and addr2line is installed; functions are known in any case, unless
// the program was stripped.

#ifndef CLOTHO_SIM_REPORT_SYMBOLIZER_H_
#define CLOTHO_SIM_REPORT_SYMBOLIZER_H_

#include <cstdio>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "clotho/sim/engine/trace.h"

namespace clotho::sim::internal {

class Symbolizer {
 public:
  // Starts addr2line for all of these that are new: the more at once, the
  // better.
  void Add(std::span<void* const> addresses);

  // The functions of the program on a stack of return addresses, innermost
  // first. Those of the standard library and of Clotho are left out. The
  // addresses must have been added.
  std::vector<TraceFrame> FramesOf(std::span<void* const> stack) const;

  // The innermost of them. Without a function and a line: unknown.
  TraceFrame PlaceOf(std::span<void* const> stack) const;

  // Whether the program has called GoogleTest, which has come here.
  bool IsInGoogleTest(std::span<void* const> stack) const;

 private:
  struct Frame {
    TraceFrame shown;
    bool of_program = false;
    bool of_googletest = false;
  };
  static Frame FrameOf(const std::string& function, const std::string& place);
  static std::vector<std::vector<Frame>> ParseAnswer(std::FILE* answer);

  // With the functions that were inlined there, innermost first. For the whole
  // process, since addr2line takes long.
  using Frames = std::map<const void*, std::vector<Frame>>;
  static Frames& AllFrames();

  Frames& frames_ = AllFrames();
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_SYMBOLIZER_H_
