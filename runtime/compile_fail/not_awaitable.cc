// expected: error: static assertion failed: co_await needs a Coro
#include "clotho/runtime/runtime.h"

clotho::Coro<void> Main() {
#ifndef CLOTHO_GOOD
  co_await 1;
#endif
  co_return;
}
