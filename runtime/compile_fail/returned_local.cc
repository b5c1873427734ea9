// expected: error: address of stack memory associated with
#include <string>

#include "clotho/runtime/runtime.h"

clotho::Coro<int> Length(const std::string& text) {
  co_return static_cast<int>(text.size());
}

CLOTHO_CORO_WRAPPER clotho::Coro<int> LengthOfName() {
#ifdef CLOTHO_GOOD
  return clotho::CoInvoke(Length, std::string("name"));
#else
  const std::string name = "name";
  return Length(name);
#endif
}
