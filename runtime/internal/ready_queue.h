// ReadyQueue: the items that are ready to run, in FIFO order.
//
// A ring of pointers whose size is a power of two. A scheduler may inspect and
// take the item at any index; the others keep their order. Allocates only when
// it grows.

#ifndef CLOTHO_RUNTIME_INTERNAL_READY_QUEUE_H_
#define CLOTHO_RUNTIME_INTERNAL_READY_QUEUE_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/runnable.h"

namespace clotho::internal {

class ReadyQueue {
 public:
  ReadyQueue() : ring_(std::make_unique<Runnable*[]>(kInitialCapacity)) {}

  bool empty() const noexcept { return head_ == tail_; }
  std::size_t size() const noexcept { return tail_ - head_; }

  // The element `index` places behind the front.
  Runnable& operator[](std::size_t index) const noexcept {
    CLOTHO_DCHECK(index < size(), "an index is within the queue");
    return *ring_[(head_ + index) & mask_];
  }

  void PushBack(Runnable& runnable) {
    CLOTHO_DCHECK(!runnable.is_linked(), "what is ready waits for nothing");
    if (size() == mask_) [[unlikely]]
      Grow();
    ring_[tail_++ & mask_] = &runnable;
    others_ += runnable.kind() != RunnableKind::kTask;
  }

  Runnable& PopFront() noexcept {
    CLOTHO_DCHECK(!empty(), "an empty queue has nothing to give out");
    Runnable& runnable = *ring_[head_++ & mask_];
    others_ -= runnable.kind() != RunnableKind::kTask;
    CLOTHO_DCHECK(others_ <= size(), "only what is in the queue is counted");
    return runnable;
  }

  // Removes the element at `index`; the others keep their order.
  Runnable& Take(std::size_t index) noexcept {
    Runnable& taken = (*this)[index];
    others_ -= taken.kind() != RunnableKind::kTask;
    if (index < size() / 2) {
      for (std::size_t i = index; i > 0; --i) {
        ring_[(head_ + i) & mask_] = ring_[(head_ + i - 1) & mask_];
      }
      ++head_;
    } else {
      for (std::size_t i = index; i + 1 < size(); ++i) {
        ring_[(head_ + i) & mask_] = ring_[(head_ + i + 1) & mask_];
      }
      --tail_;
    }
    CLOTHO_DCHECK(others_ <= size(), "only what is in the queue is counted");
    return taken;
  }

  // Replaces an element by another of the same kind. Takes linear time.
  void Replace(Runnable& old, Runnable& replacement) noexcept {
    CLOTHO_DCHECK(old.kind() == replacement.kind(),
                  "an element is replaced by one of its kind");
    std::size_t place = head_;
    while (ring_[place & mask_] != &old) {
      ++place;
      CLOTHO_DCHECK(place != tail_, "what is replaced is in the queue");
    }
    ring_[place & mask_] = &replacement;
  }

  // The number of elements that are not task steps.
  std::size_t others() const noexcept { return others_; }

 private:
  static constexpr std::size_t kInitialCapacity = 64;

  void Grow() {
    const std::size_t count = size();
    auto ring = std::make_unique<Runnable*[]>((mask_ + 1) * 2);
    for (std::size_t i = 0; i < count; ++i) ring[i] = &(*this)[i];
    ring_ = std::move(ring);
    mask_ = mask_ * 2 + 1;
    head_ = 0;
    tail_ = count;
  }

  std::unique_ptr<Runnable*[]> ring_;
  std::size_t mask_ = kInitialCapacity - 1;
  std::size_t head_ = 0;  // Both only grow; the mask turns them into indexes.
  std::size_t tail_ = 0;
  std::size_t others_ = 0;
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_READY_QUEUE_H_
