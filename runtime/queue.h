// Queue<T>: passes items from producers to consumers.
//
//   Queue<int> queue(10);            // At most ten items; 0: any number.
//   co_await queue.Put(1);           // Waits while it is full.
//   int n = co_await queue.Get();    // Waits while it is empty.
//   queue.TaskDone();                // The item has been processed.
//   co_await queue.Join();           // Until all items have been processed.
//
//   Queue<T>          FIFO order
//   LifoQueue<T>      last in, first out
//   PriorityQueue<T>  smallest first, by `<` or a given comparator
//
// Rules. A task that was woken but finds the item taken waits
// again, at the back of the queue. Cancelling a waiting task loses no
// item. For the tasks of one loop, not for threads.

#ifndef CLOTHO_RUNTIME_QUEUE_H_
#define CLOTHO_RUNTIME_QUEUE_H_

#include <coroutine>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/event.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/list.h"
#include "clotho/runtime/internal/shared_string.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/loop_binding.h"
#include "clotho/runtime/primitive.h"
#include "clotho/runtime/task_base.h"

namespace clotho {

namespace internal {

class QueueBase;

// A task that waits for an item or for a free slot.
using QueueWaiter = PrimitiveWaiter<QueueBase>;

// The part of a queue that does not depend on the item type: waiters and
// counters.
class QueueBase {
 public:
  QueueBase(const QueueBase&) = delete;
  QueueBase& operator=(const QueueBase&) = delete;

  std::size_t Qsize() const {
    SyncRead(this);
    return size_;
  }
  bool Empty() const { return Qsize() == 0; }
  bool Full() const { return maxsize_ > 0 && Qsize() >= maxsize_; }
  std::size_t Maxsize() const { return maxsize_; }

  // Marks one item as processed. Throws ValueError if called more often than
  // items were put.
  void TaskDone();

  // Waits until every item that was put has been processed.
  [[nodiscard]] auto Join() { return finished_.Wait(); }

  // Stops the queue: nothing more can be put, and once it is empty nothing can
  // be got. Such calls, and tasks already waiting, throw QueueShutDown. With
  // `immediate`, the items are dropped at once.
  void Shutdown(bool immediate = false);

  // For reports: `Queue "jobs"`.
  std::string Describe() const { return DescribePrimitive(kType, name_); }

  // Describes what a task waiting for an item or for a free slot waits for.
  virtual void ExplainWait(WaitInfo& info) const { info.what = Describe(); }

  // The task step that putting an item now would make ready, or null (see
  // Runnable::EventualStep).
  Runnable* NextGetter() const;

 protected:
  enum class Side { kGet, kPut };

  // Waits, repeatedly if necessary, until there is an item or a free slot.
  class [[nodiscard]] Awaiter : private WakeHook {
   public:
    Awaiter(CoroPromiseBase& parent, QueueBase& queue, Side side)
        : parent_(parent), queue_(queue), side_(side) {}
    Awaiter(const Awaiter&) = delete;
    bool await_ready() {
      SyncWrite(&queue_);
      if (!queue_.MustWait(side_)) return true;
      queue_.binding_.Bind(*parent_.task().loop(), queue_);
      return false;
    }
    void await_suspend(std::coroutine_handle<>) { Wait(); }

   protected:
    // Throws the error that ended the wait, if any.
    void FinishWait();

   private:
    bool OnWake(TaskBase& task) override;
    void Wait();

    CoroPromiseBase& parent_;
    QueueBase& queue_;
    const Side side_;
    std::optional<QueueWaiter> waiter_;
  };

  QueueBase(std::size_t maxsize, std::string_view name);
  // Tasks still waiting for the queue can only be cancelled.
  virtual ~QueueBase();

  // The parts of the operations that do not depend on the item type.
  void CheckPut() const;
  void CheckGet() const;
  void ItemWasPut();
  void ItemWasGot() {
    CLOTHO_DCHECK(size_ > 0, "only an item that exists is taken");
    --size_;
    SyncJoin(this);  // A task that finds the free slot comes after it.
    WakeNext(putters_);
  }
  virtual void DropItems() = 0;

 private:
  friend PrimitiveWaiter<QueueBase>;
  using Line = PrimitiveLine<QueueBase>;

  static constexpr const char* kType = "Queue";

  bool MustWait(Side side) const {
    return !shut_down_ && (side == Side::kGet ? Empty() : Full());
  }
  Line& LineOf(Side side) { return side == Side::kGet ? getters_ : putters_; }
  void WakeNext(Line& line);
  void WakeAll(Line& line);

  const std::size_t maxsize_;
  std::size_t size_ = 0;
  std::size_t unfinished_ = 0;
  bool shut_down_ = false;
  Line getters_;
  Line putters_;
  Line woken_;  // Woken waiters that have not run yet; not in a line.
  Event finished_;
  LoopBinding binding_;
  Text name_;
};

// The items of a queue, and the order in which they are taken.

template <typename T>
class FifoItems {
 public:
  void Put(T item) { items_.push_back(std::move(item)); }
  T Take() {
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

 private:
  std::deque<T, PoolAllocator<T>> items_;
};

template <typename T>
class LifoItems {
 public:
  void Put(T item) { items_.push_back(std::move(item)); }
  T Take() {
    T item = std::move(items_.back());
    items_.pop_back();
    return item;
  }

 private:
  std::vector<T, PoolAllocator<T>> items_;
};

struct ByLess {
  template <typename T>
  bool operator()(const T& a, const T& b) const {
    return a < b;
  }
};

// CPython's heap, step by step (rule L-20): equal items are taken in the same
// order as there.
template <typename T, typename Less>
class PriorityItems {
 public:
  void Put(T item) {
    items_.push_back(std::move(item));
    Climb(0, items_.size() - 1);
  }
  T Take() {
    T last = std::move(items_.back());
    items_.pop_back();
    if (items_.empty()) return last;
    T least = std::exchange(items_.front(), std::move(last));
    Sink();
    return least;
  }

 private:
  // Moves an item up, at most to `top`, while it is less than its parent.
  void Climb(std::size_t top, std::size_t place) {
    T item = std::move(items_[place]);
    while (place > top) {
      const std::size_t parent = (place - 1) / 2;
      if (!less_(item, items_[parent])) break;
      items_[place] = std::move(items_[parent]);
      place = parent;
    }
    items_[place] = std::move(item);
  }

  // Moves the first item down to a leaf, and from there up to its place.
  void Sink() {
    T item = std::move(items_.front());
    std::size_t place = 0;
    for (std::size_t child = 1; child < items_.size(); child = 2 * place + 1) {
      const std::size_t right = child + 1;
      if (right < items_.size() && !less_(items_[child], items_[right])) {
        child = right;
      }
      items_[place] = std::move(items_[child]);
      place = child;
    }
    items_[place] = std::move(item);
    Climb(0, place);
  }

  std::vector<T, PoolAllocator<T>> items_;
  [[no_unique_address]] Less less_;
};

}  // namespace internal

template <typename T, typename Items = internal::FifoItems<T>>
class Queue : public internal::QueueBase {
 private:
  class [[nodiscard, gnu::warn_unused]] GetAwaitable {
   public:
    class [[nodiscard]] Awaiter : public QueueBase::Awaiter {
     public:
      Awaiter(internal::CoroPromiseBase& parent, const GetAwaitable& get)
          : QueueBase::Awaiter(parent, get.queue_, Side::kGet),
            queue_(get.queue_) {}
      T await_resume() {
        this->FinishWait();
        return queue_.GetNowait();
      }

     private:
      Queue& queue_;
    };
    explicit GetAwaitable(Queue& queue) : queue_(queue) {}

   private:
    Queue& queue_;
  };

  class [[nodiscard, gnu::warn_unused]] PutAwaitable {
   public:
    class [[nodiscard]] Awaiter : public QueueBase::Awaiter {
     public:
      Awaiter(internal::CoroPromiseBase& parent, PutAwaitable&& put)
          : QueueBase::Awaiter(parent, put.queue_, Side::kPut),
            queue_(put.queue_),
            item_(std::move(put.item_)) {}
      void await_resume() {
        this->FinishWait();
        queue_.PutNowait(std::move(item_));
      }

     private:
      Queue& queue_;
      T item_;
    };
    PutAwaitable(Queue& queue, T item)
        : queue_(queue), item_(std::move(item)) {}

   private:
    Queue& queue_;
    T item_;
  };

 public:
  // Holds at most `maxsize` items; 0: any number. `name` is for reports.
  explicit Queue(std::size_t maxsize = 0, std::string_view name = {})
      : QueueBase(maxsize, name) {}

  // Adds an item; waits while the queue is full. Throws QueueShutDown.
  [[nodiscard]] PutAwaitable Put(T item) {
    return PutAwaitable(*this, std::move(item));
  }
  // The next item; waits while the queue is empty. Throws QueueShutDown.
  [[nodiscard]] GetAwaitable Get() { return GetAwaitable(*this); }

  // Like `Put`, without waiting: throws QueueFull.
  void PutNowait(T item) {
    CheckPut();
    items_.Put(std::move(item));
    ItemWasPut();
  }
  // Like `Get`, without waiting: throws QueueEmpty.
  T GetNowait() {
    CheckGet();
    T item = items_.Take();
    ItemWasGot();
    return item;
  }

 private:
  void DropItems() override { items_ = Items(); }

  Items items_;
};

template <typename T>
using LifoQueue = Queue<T, internal::LifoItems<T>>;

template <typename T, typename Less = internal::ByLess>
using PriorityQueue = Queue<T, internal::PriorityItems<T, Less>>;

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_QUEUE_H_
