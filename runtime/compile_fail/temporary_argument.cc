// expected: error: temporary whose address is used as value
#include <string>
#include <utility>

#include "clotho/runtime/runtime.h"

clotho::Coro<int> Length(const std::string& text) {
  co_return static_cast<int>(text.size());
}

clotho::Coro<int> Main() {
#ifdef CLOTHO_GOOD
  const std::string text = "x";
  clotho::Coro<int> length = Length(text);
#else
  clotho::Coro<int> length = Length(std::string("x"));
#endif
  co_return co_await std::move(length);
}
