// Mailbox: carries work from other threads to a loop.
//
// The only part of a loop that several threads touch. Other threads add mail,
// which wakes the loop if it is waiting; the loop takes out all mail at the
// start of an iteration (rule L-03.4). It checks one flag for new mail, and
// takes the lock only if the flag is set.
//
// A mailbox may outlive its loop while others hold it. It is closed then, and
// accepts no more mail.

#ifndef CLOTHO_RUNTIME_MAILBOX_H_
#define CLOTHO_RUNTIME_MAILBOX_H_

#include <atomic>
#include <cstdint>
#include <mutex>

#include "clotho/runtime/clock.h"

namespace clotho {
class EventLoop;
}  // namespace clotho

namespace clotho::internal {

// A piece of work for a loop. May be created in any thread, and is not
// allocated from a per-thread pool.
class Mail {
 public:
  Mail() = default;
  Mail(const Mail&) = delete;
  Mail& operator=(const Mail&) = delete;

  // Called in the loop's thread, after the mailbox has released it: adds the
  // work to the loop's ready queue.
  virtual void Deliver(EventLoop& loop) = 0;
  // Called instead of `Deliver` if the loop is closed.
  virtual void Drop() noexcept = 0;

  Mail* next() const noexcept { return next_; }
  // See Runnable::chain.
  std::uint32_t chain() const noexcept { return chain_; }
  void set_chain(std::uint32_t chain) noexcept { chain_ = chain; }

 protected:
  ~Mail() = default;

 private:
  friend class Mailbox;
  Mail* next_ = nullptr;
  std::uint32_t chain_ = 0;
};

class Mailbox {
 public:
  // The loop's clock. It may be destroyed once the mailbox is closed.
  explicit Mailbox(Clock& clock) : clock_(clock) {}
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // May be called from any thread. Mail from one thread keeps its order.
  // Returns false if the mailbox is closed; the caller then keeps the mail.
  bool Post(Mail& mail);

  // Reports a Ctrl-C. May be called from a signal handler while the loop
  // exists.
  void Interrupt() noexcept;

  // ---- For the loop. ----

  bool has_mail() const noexcept {
    return has_mail_.load(std::memory_order_relaxed);
  }
  // Takes out all mail, oldest first, chained through `next` and
  // null-terminated.
  Mail* Take();
  // Returns the number of interrupts since the last call. Must be called after
  // `Take`.
  int TakeInterrupts() noexcept { return interrupts_.exchange(0); }
  // Rejects further mail. Mail already in the box can still be taken out.
  void Close();

 private:
  std::atomic<bool> has_mail_ = false;  // Or an interrupt.
  std::atomic<int> interrupts_ = 0;
  std::mutex mutex_;
  bool closed_ = false;
  Mail* first_ = nullptr;
  Mail* last_ = nullptr;
  Clock& clock_;
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_MAILBOX_H_
