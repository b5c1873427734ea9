// expected: error: temporary whose address is used as value
#include <utility>

#include "clotho/runtime/runtime.h"

class Client {
 public:
  clotho::Coro<int> Get() { co_return number_; }

 private:
  int number_ = 1;
};

clotho::Coro<int> Main() {
#ifdef CLOTHO_GOOD
  Client client;
  auto coro = client.Get();
#else
  auto coro = Client().Get();
#endif
  co_return co_await std::move(coro);
}
