// Transfers between accounts, each with a lock of its own.
//
// `Bank` takes the lock of the account that pays, then that of the one that is
// paid: two transfers in opposite directions can each hold what the other
// needs. `OrderedBank` always takes the lock of the lower account first.

#ifndef CLOTHO_EXAMPLES_BANK_H_
#define CLOTHO_EXAMPLES_BANK_H_

#include <memory>
#include <string>
#include <vector>

#include "clotho/runtime/runtime.h"

namespace clotho::examples {

class Account {
 public:
  Account(std::string name, int balance) : lock_(name), balance_(balance) {}

  // Looks the balance up, which takes a while.
  Coro<int> Read();
  void Add(int amount) { balance_ += amount; }
  int balance() const { return balance_; }
  Lock& lock() { return lock_; }

 private:
  Lock lock_;
  int balance_;
};

// May deadlock.
Coro<void> Transfer(Account& from, Account& to, int amount);

// Both locks in the order in which `from` and `to` stand in `first` and
// `second`.
Coro<void> OrderedTransfer(Account& from, Account& to, int amount,
                           bool from_first);

}  // namespace clotho::examples

#endif  // CLOTHO_EXAMPLES_BANK_H_
