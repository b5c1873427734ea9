// Mailbox: what other threads give to a loop.
//
// The only part of a loop that more than one thread touches. Others put
// something in, which wakes the loop if it waits; the loop takes everything out
// at the start of an iteration (rule L-03.4). It asks one flag whether there is
// anything, and takes the lock only then.
//
// A mailbox outlives its loop if somebody still has it: it is closed then, and
// takes nothing any more.

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

// Something for a loop to do. Made in any thread, and not of a thread's pool.
class Mail {
 public:
  Mail() = default;
  Mail(const Mail&) = delete;
  Mail& operator=(const Mail&) = delete;

  // In the loop's thread, which lets go of it: puts what is to be done into the
  // loop's ready queue.
  virtual void Deliver(EventLoop& loop) = 0;
  // It will not be delivered: the loop is closed.
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
  // The clock is that of the loop, and may go when the mailbox is closed.
  explicit Mailbox(Clock& clock) : clock_(clock) {}
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // From any thread. Mail of one thread keeps its order. False if the mailbox
  // is closed: the mail is still the caller's.
  bool Post(Mail& mail);

  // Somebody has pressed Ctrl-C. May be called from a signal handler, while the
  // loop lives.
  void Interrupt() noexcept;

  // ---- For the loop. ----

  bool has_mail() const noexcept {
    return has_mail_.load(std::memory_order_relaxed);
  }
  // Takes out all there is, oldest first: a chain by `next`, null at its end.
  Mail* Take();
  // How many interrupts there were since the last call. To be asked after
  // `Take`.
  int TakeInterrupts() noexcept { return interrupts_.exchange(0); }
  // From now on nothing is taken in. What there is can still be taken out.
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
