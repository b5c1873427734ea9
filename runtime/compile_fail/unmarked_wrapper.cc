// expected: error: function returns a type 'Coro<int>'
#include "clotho/runtime/runtime.h"

clotho::Coro<int> One() { co_return 1; }

#ifdef CLOTHO_GOOD
CLOTHO_CORO_WRAPPER
#endif
clotho::Coro<int> AlsoOne() { return One(); }
