// TimerQueue: timers ordered by deadline; equal deadlines keep the order in
// which they were set.
//
// Timers are set in large numbers with few deadlines: a thousand tasks that
// sleep some milliseconds have a few hundred deadlines. The queue is therefore
// a heap of moments, each holding the timers of one deadline in an array. A
// timer knows its position, so cancelling one removes it at once.
//
// A table of the newest moments finds the moment for a deadline. Two deadlines
// may collide in the table. A deadline then gets a second moment, which comes
// after the first. A timer is only ever added to the newest moment of its
// deadline, so the order is kept.

#ifndef CLOTHO_RUNTIME_INTERNAL_TIMER_QUEUE_H_
#define CLOTHO_RUNTIME_INTERNAL_TIMER_QUEUE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/runnable.h"

namespace clotho::internal {

class Timer;

// The timers of one deadline.
struct TimerMoment {
  std::int64_t when_ns = 0;
  std::uint64_t sequence = 0;
  std::size_t place = 0;  // In the heap.
  std::size_t live = 0;
  std::size_t first = 0;                              // All before it are gone.
  std::vector<Timer*, PoolAllocator<Timer*>> timers;  // Null: gone.
};

// A Runnable that runs at a deadline.
class Timer : public Runnable {
 public:
  explicit Timer(RunnableKind kind) noexcept : Runnable(kind) {}

  std::int64_t when_ns() const noexcept { return when_ns_; }
  bool armed() const noexcept { return moment_ != nullptr; }

 protected:
  ~Timer() = default;

 private:
  friend class TimerQueue;

  std::int64_t when_ns_ = 0;
  TimerMoment* moment_ = nullptr;  // While it is armed.
  std::size_t place_ = 0;          // In the moment.
};

class TimerQueue {
 public:
  TimerQueue() : newest_(std::make_unique<TimerMoment*[]>(kNewest)) {}

  bool empty() const noexcept { return heap_.empty(); }
  std::size_t size() const noexcept { return size_; }

  // The next timer. The queue must not be empty.
  Timer& front() const noexcept {
    CLOTHO_DCHECK(!empty(), "an empty queue has no next timer");
    const TimerMoment& moment = *heap_.front().moment;
    CLOTHO_DCHECK(moment.timers[moment.first] != nullptr,
                  "the first timer of a moment is not gone");
    return *moment.timers[moment.first];
  }
  std::int64_t next_ns() const noexcept {
    CLOTHO_DCHECK(!empty(), "an empty queue has no next timer");
    return heap_.front().when_ns;
  }

  // Arms a timer that is not armed.
  void Add(Timer& timer, std::int64_t when_ns) {
    CLOTHO_DCHECK(!timer.armed(), "a timer is armed once");
    TimerMoment*& newest = NewestLike(when_ns);
    if (newest == nullptr || newest->when_ns != when_ns) {
      newest = &NewMoment(when_ns);
    }
    timer.when_ns_ = when_ns;
    timer.moment_ = newest;
    timer.place_ = newest->timers.size();
    newest->timers.push_back(&timer);
    ++newest->live;
    ++size_;
  }

  // Disarms an armed timer.
  void Remove(Timer& timer) noexcept {
    CLOTHO_DCHECK(timer.armed(), "only an armed timer is disarmed");
    TimerMoment& moment = *timer.moment_;
    CLOTHO_DCHECK(moment.timers[timer.place_] == &timer,
                  "a timer knows its place in its moment");
    CLOTHO_DCHECK(moment.live > 0, "a moment counts its timers");
    CLOTHO_DCHECK(heap_[moment.place].moment == &moment,
                  "a moment knows its place in the heap");
    timer.moment_ = nullptr;
    --size_;
    if (--moment.live == 0) {
      Forget(moment);
      return;
    }
    moment.timers[timer.place_] = nullptr;
    if (timer.place_ == moment.first) {
      while (moment.timers[moment.first] == nullptr) ++moment.first;
    } else if (moment.timers.size() - moment.first > 2 * moment.live + 8) {
      CloseRanks(moment);
    }
  }

  Timer& PopFront() noexcept {
    CLOTHO_DCHECK(!empty(), "an empty queue has no next timer");
    const TimerMoment& moment = *heap_.front().moment;
    // A timer whose turn comes soon.
    if (moment.timers.size() - moment.first > kAhead) {
      __builtin_prefetch(moment.timers[moment.first + kAhead]);
    }
    Timer& timer = *moment.timers[moment.first];
    CLOTHO_DCHECK(timer.when_ns_ == heap_.front().when_ns,
                  "the timers of a moment have its deadline");
    Remove(timer);
    return timer;
  }

  // Calls `visit(const Timer&)` for each timer, in no particular order.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const Entry& entry : heap_) {
      for (const Timer* const timer : entry.moment->timers) {
        if (timer != nullptr) visit(*timer);
      }
    }
  }

  // Restores the initial state, but keeps the memory. The queue must be empty.
  void Reset() noexcept {
    CLOTHO_DCHECK(empty() && size_ == 0, "a reset queue holds no timers");
    sequence_ = 0;
  }

 private:
  struct Entry {
    std::int64_t when_ns;
    TimerMoment* moment;

    bool operator<(const Entry& other) const noexcept {
      return when_ns != other.when_ns
                 ? when_ns < other.when_ns
                 : moment->sequence < other.moment->sequence;
    }
  };
  static constexpr std::size_t kArity = 4;
  static constexpr std::size_t kAhead = 8;
  static constexpr int kNewestBits = 10;
  static constexpr std::size_t kNewest = std::size_t{1} << kNewestBits;

  // The entry of a deadline in the table of the newest moments.
  TimerMoment*& NewestLike(std::int64_t when_ns) const noexcept {
    return newest_[static_cast<std::uint64_t>(when_ns) * 0x9E3779B97F4A7C15u >>
                   (64 - kNewestBits)];
  }

  TimerMoment& NewMoment(std::int64_t when_ns) {
    if (unused_.empty()) unused_.push_back(&moments_.emplace_back());
    TimerMoment& moment = *unused_.back();
    CLOTHO_DCHECK(moment.live == 0 && moment.timers.empty(),
                  "an unused moment has no timers");
    heap_.emplace_back(when_ns, &moment);
    unused_.pop_back();
    moment.when_ns = when_ns;
    moment.sequence = sequence_++;
    SiftUp(heap_.size() - 1);
    return moment;
  }

  void Forget(TimerMoment& moment) noexcept {
    TimerMoment*& newest = NewestLike(moment.when_ns);
    if (newest == &moment) newest = nullptr;
    const std::size_t place = moment.place;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (place < heap_.size()) {
      Put(place, last);
      SiftUp(place);
      SiftDown(last.moment->place);
    }
    std::exchange(moment.timers, {});  // Returns its memory to the pool.
    moment.first = 0;
    unused_.push_back(&moment);
  }

  // Removes the gaps once most timers of a moment are gone.
  static void CloseRanks(TimerMoment& moment) noexcept {
    moment.timers.erase(
        std::remove(moment.timers.begin(), moment.timers.end(), nullptr),
        moment.timers.end());
    moment.first = 0;
    for (std::size_t i = 0; i < moment.timers.size(); ++i) {
      moment.timers[i]->place_ = i;
    }
  }

  void Put(std::size_t place, const Entry& entry) noexcept {
    heap_[place] = entry;
    entry.moment->place = place;
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
    CLOTHO_DCHECK(place == 0 || !(entry < heap_[(place - 1) / kArity]),
                  "no moment comes before its parent in the heap");
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
    CLOTHO_DCHECK(place == 0 || !(entry < heap_[(place - 1) / kArity]),
                  "no moment comes before its parent in the heap");
  }

  std::vector<Entry> heap_;
  std::unique_ptr<TimerMoment*[]> newest_;
  std::deque<TimerMoment> moments_;  // Owns all moments.
  std::vector<TimerMoment*> unused_;
  std::size_t size_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_TIMER_QUEUE_H_
