// expected: error: temporary whose address is used as value
#include <utility>

#include "clotho/runtime/runtime.h"

clotho::Coro<int> Main(int k) {
#ifdef CLOTHO_GOOD
  clotho::Coro<int> coro =
      clotho::CoInvoke([k]() -> clotho::Coro<int> { co_return k; });
#else
  clotho::Coro<int> coro = [k]() -> clotho::Coro<int> { co_return k; }();
#endif
  co_return co_await std::move(coro);
}
