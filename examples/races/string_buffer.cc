// Two calls, each safe alone, but not together.
//
// Every method of the buffer takes its lock. Appending it to another one asks
// for its length, and then for that many characters.
//
// Breaks: the length is read; the buffer is erased; the characters are read,
// before others are appended. Depth 3: two preemptions. The fixed caller makes
// a single call. Source: SCTBench (`stringbuffer-jdk1.4`):
// java.lang.StringBuffer of JDK 1.4.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

class StringBuffer {
 public:
  StringBuffer(std::string_view text, Form form) : form_(form) {
    text_.Write() = text;
  }

  Coro<std::size_t> Length() {
    co_await GiveWay(form_);
    Lock::Guard guard = co_await lock_.Acquire();
    co_await GiveWay(form_);
    co_return text_.Read().size();
  }
  // The first `length` characters.
  Coro<std::string> GetChars(std::size_t length) {
    co_await GiveWay(form_);
    Lock::Guard guard = co_await lock_.Acquire();
    co_await GiveWay(form_);
    Always(length <= text_.Read().size(), "what is asked for is there");
    co_return text_.Read().substr(0, length);
  }
  Coro<std::string> ToString() {
    co_await GiveWay(form_);
    Lock::Guard guard = co_await lock_.Acquire();
    co_await GiveWay(form_);
    co_return text_.Read();
  }
  // Removes the first `count` characters.
  Coro<void> Erase(std::size_t count) {
    co_await GiveWay(form_);
    Lock::Guard guard = co_await lock_.Acquire();
    co_await GiveWay(form_);
    text_.Write().erase(0, count);
  }
  Coro<void> Append(std::string_view text) {
    co_await GiveWay(form_);
    Lock::Guard guard = co_await lock_.Acquire();
    co_await GiveWay(form_);
    text_.Write().append(text);
  }

 private:
  const Form form_;
  Lock lock_{"string buffer"};
  sim::Tracked<std::string> text_{"text"};
};

Coro<void> AppendTo(StringBuffer& target, StringBuffer& source, bool fixed) {
  std::string text;
  if (fixed) {
    text = co_await source.ToString();
  } else {
    const std::size_t length = co_await source.Length();
    text = co_await source.GetChars(length);
  }
  co_await target.Append(text);
}

Coro<void> Replace(StringBuffer& buffer) {
  co_await buffer.Erase(3);
  co_await buffer.Append("abc");
}

Coro<void> AppendAndReplace(Form form, bool fixed) {
  StringBuffer source("abc", form);
  StringBuffer target("", form);
  Coro<void> append = AppendTo(target, source, fixed);
  Task<void> one = CreateTask(std::move(append), {.name = "append"});
  Coro<void> replace = Replace(source);
  Task<void> other = CreateTask(std::move(replace), {.name = "replace"});
  co_await Gather(one, other);
}

}  // namespace

std::vector<Race> StringBufferRaces() {
  return InBothForms({.name = "stringbuffer",
                      .depth = 3,
                      .says = "what is asked for is there",
                      .passes_in_fifo_order = false,
                      .published = {.surw = Figure{8},
                                    .pct3 = Figure{281},
                                    .pct10 = Figure{26},
                                    .pos = Figure{23},
                                    .random = Figure{2243, 19},
                                    .rff = Figure{15}}},
                     &AppendAndReplace);
}

}  // namespace clotho::examples
