#include "clotho/runtime/mailbox.h"

#include <atomic>
#include <mutex>
#include <utility>

#include "clotho/runtime/internal/check.h"

namespace clotho::internal {

bool Mailbox::Post(Mail& mail) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return false;
  CLOTHO_DCHECK((first_ == nullptr) == (last_ == nullptr),
                "a mailbox with mail has a first and a last");
  mail.next_ = nullptr;
  if (first_ != nullptr) {
    // The thread that put in the first mail wakes the loop, which takes all
    // mail.
    last_->next_ = &mail;
    last_ = &mail;
    return true;
  }
  first_ = last_ = &mail;
  has_mail_.store(true, std::memory_order_relaxed);
  // Under the lock: otherwise the loop could be closed and its clock destroyed.
  clock_.Wake();
  return true;
}

void Mailbox::Interrupt() noexcept {
  interrupts_.fetch_add(1);
  has_mail_.store(true);
  clock_.Wake();
}

Mail* Mailbox::Take() {
  std::lock_guard<std::mutex> lock(mutex_);
  has_mail_.store(false, std::memory_order_relaxed);
  last_ = nullptr;
  return std::exchange(first_, nullptr);
}

void Mailbox::Close() {
  std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
}

}  // namespace clotho::internal
