// TimerQueue: timers by deadline, those with equal deadlines in the order set.
//
// A 4-ary heap of (deadline, sequence number, timer). A timer knows its place,
// so that cancelling one takes it out at once and nothing stale is left behind.

#ifndef CLOTHO_RUNTIME_INTERNAL_TIMER_QUEUE_H_
#define CLOTHO_RUNTIME_INTERNAL_TIMER_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "clotho/runtime/internal/runnable.h"

namespace clotho::internal {

// Something to run at a deadline.
class Timer : public Runnable {
 public:
  explicit Timer(RunnableKind kind) noexcept : Runnable(kind) {}

  std::int64_t when_ns() const noexcept { return when_ns_; }
  bool armed() const noexcept { return place_ != kNowhere; }

 protected:
  ~Timer() = default;

 private:
  friend class TimerQueue;
  static constexpr std::size_t kNowhere = SIZE_MAX;

  std::int64_t when_ns_ = 0;
  std::size_t place_ = kNowhere;
};

class TimerQueue {
 public:
  bool empty() const noexcept { return heap_.empty(); }
  std::size_t size() const noexcept { return heap_.size(); }

  // The next timer. There must be one.
  Timer& front() const noexcept { return *heap_.front().timer; }
  std::int64_t next_ns() const noexcept { return heap_.front().when_ns; }

  // Sets a timer that is not armed.
  void Add(Timer& timer, std::int64_t when_ns) {
    timer.when_ns_ = when_ns;
    heap_.push_back(Entry{when_ns, sequence_++, &timer});
    SiftUp(heap_.size() - 1);
  }

  // Disarms an armed timer.
  void Remove(Timer& timer) noexcept {
    const std::size_t place = timer.place_;
    timer.place_ = Timer::kNowhere;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (place == heap_.size()) return;
    Put(place, last);
    SiftUp(place);
    SiftDown(last.timer->place_);
  }

  Timer& PopFront() noexcept {
    Timer& timer = front();
    Remove(timer);
    return timer;
  }

  // Back to the state of a new one, but for the memory. It must be empty.
  void Reset() noexcept { sequence_ = 0; }

 private:
  struct Entry {
    std::int64_t when_ns;
    std::uint64_t sequence;
    Timer* timer;

    bool operator<(const Entry& other) const noexcept {
      return when_ns != other.when_ns ? when_ns < other.when_ns
                                      : sequence < other.sequence;
    }
  };
  static constexpr std::size_t kArity = 4;

  void Put(std::size_t place, const Entry& entry) noexcept {
    heap_[place] = entry;
    entry.timer->place_ = place;
  }

  void SiftUp(std::size_t place) noexcept {
    const Entry entry = heap_[place];
    while (place > 0) {
      const std::size_t parent = (place - 1) / kArity;
      if (!(entry < heap_[parent])) break;
      Put(place, heap_[parent]);
      place = parent;
    }
    Put(place, entry);
  }

  void SiftDown(std::size_t place) noexcept {
    const Entry entry = heap_[place];
    while (true) {
      const std::size_t first = place * kArity + 1;
      if (first >= heap_.size()) break;
      std::size_t least = first;
      for (std::size_t child = first + 1;
           child < heap_.size() && child < first + kArity; ++child) {
        if (heap_[child] < heap_[least]) least = child;
      }
      if (!(heap_[least] < entry)) break;
      Put(place, heap_[least]);
      place = least;
    }
    Put(place, entry);
  }

  std::vector<Entry> heap_;
  std::uint64_t sequence_ = 0;
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_TIMER_QUEUE_H_
