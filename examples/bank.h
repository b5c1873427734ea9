// Transfers between accounts, each of which has its own lock.
//
// `Bank` locks the paying account first, then the account that is paid: two
// transfers in opposite directions can each hold the lock that the other needs.
// `OrderedBank` always locks the lower account first.

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

  // Looks up the balance, which takes a while.
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

// Takes both locks in the order in which `from` and `to` appear in `first` and
// `second`.
Coro<void> OrderedTransfer(Account& from, Account& to, int amount,
                           bool from_first);

}  // namespace clotho::examples

#endif  // CLOTHO_EXAMPLES_BANK_H_
