// expected: a Coro is awaited once: write co_await
#include <utility>

#include "clotho/runtime/runtime.h"

clotho::Coro<int> Main(clotho::Coro<int> coro) {
#ifdef CLOTHO_GOOD
  co_return co_await std::move(coro);
#else
  co_return co_await coro;
#endif
}
