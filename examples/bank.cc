#include "clotho/examples/bank.h"

namespace clotho::examples {

Coro<int> Account::Read() {
  co_await Sleep(absl::Milliseconds(5));
  co_return balance_;
}

Coro<void> Transfer(Account& from, Account& to, int amount) {
  Lock::Guard pays = co_await from.lock().Acquire();
  const int balance = co_await from.Read();
  Lock::Guard is_paid = co_await to.lock().Acquire();
  if (balance >= amount) {
    from.Add(-amount);
    to.Add(amount);
  }
}

Coro<void> OrderedTransfer(Account& from, Account& to, int amount,
                           bool from_first) {
  Account& first = from_first ? from : to;
  Account& second = from_first ? to : from;
  Lock::Guard one = co_await first.lock().Acquire();
  Lock::Guard other = co_await second.lock().Acquire();
  const int balance = co_await from.Read();
  if (balance >= amount) {
    from.Add(-amount);
    to.Add(amount);
  }
}

}  // namespace clotho::examples
