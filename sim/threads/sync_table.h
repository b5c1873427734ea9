// SyncTable: what simulated threads meet at, found by address.
//
// A mutex needs no constructor, so its state cannot be stored in it. The table
// is emptied between executions without touching its memory.

#ifndef CLOTHO_SIM_THREADS_SYNC_TABLE_H_
#define CLOTHO_SIM_THREADS_SYNC_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace clotho::sim::internal {

class Thread;

// Threads in a row; each is in at most one.
struct ThreadList {
  Thread* first = nullptr;
  Thread* last = nullptr;
};

// A mutex, a condition variable, ... in one execution.
struct SyncObject {
  enum class Kind : std::uint8_t {
    kMutex,
    kCondition,
    kRwLock,
    kSpinLock,
    kSemaphore,
    kBarrier,
    kOnce,
    kWord,  // Of a futex.
    kAtomic,
  };

  Kind kind = Kind::kMutex;
  std::uint32_t number = 0;  // Among its kind, in the order of first use.
  // The same in all executions in which it is the n-th that its thread uses
  // first; 0: not given yet.
  std::uint64_t id = 0;
  // Whoever holds it alone, and how often.
  Thread* owner = nullptr;
  std::uint32_t depth = 0;
  // How many share a read-write lock.
  std::uint32_t readers = 0;
  // A semaphore's value; how many a barrier is for.
  std::int64_t value = 0;
  // Who waits for it, in the order of arrival.
  ThreadList waiters;
};

class SyncTable {
 public:
  SyncTable() : slots_(std::size_t{1} << kInitialBits) {}

  // Forgets all objects.
  void BeginExecution() {
    ++execution_;
    used_ = 0;
    for (std::uint32_t& count : counts_) count = 0;
  }

  // The object at this address; a new one if there is none of that kind.
  SyncObject& At(const void* address, SyncObject::Kind kind, bool& is_new) {
    if (used_ * 2 >= slots_.size()) Grow();
    Slot& slot = Find(address);
    is_new = slot.execution != execution_ || slot.object->kind != kind;
    if (!is_new) return *slot.object;
    if (slot.execution != execution_) {
      slot.execution = execution_;
      slot.address = address;
      if (used_ == objects_.size()) objects_.emplace_back();
      slot.object = &objects_[used_++];
    }
    *slot.object = {.kind = kind,
                    .number = ++counts_[static_cast<std::size_t>(kind)],
                    .waiters = {}};
    return *slot.object;
  }

  // The object at this address, if there is one.
  SyncObject* Known(const void* address) {
    const Slot& slot = Find(address);
    return slot.execution == execution_ ? slot.object : nullptr;
  }

 private:
  struct Slot {
    const void* address = nullptr;
    std::uint64_t execution = 0;
    SyncObject* object = nullptr;
  };
  static constexpr int kInitialBits = 8;
  static constexpr std::size_t kKinds = 9;

  Slot& Find(const void* address) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = (reinterpret_cast<std::uintptr_t>(address) *
                      std::uintptr_t{0x9e3779b97f4a7c15}) >>
                     32;
    while (true) {
      Slot& slot = slots_[at & mask];
      if (slot.execution != execution_ || slot.address == address) return slot;
      ++at;
    }
  }

  void Grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.execution == execution_) Find(slot.address) = slot;
    }
  }

  std::vector<Slot> slots_;
  std::deque<SyncObject> objects_;
  std::size_t used_ = 0;
  std::uint64_t execution_ = 1;
  std::uint32_t counts_[kKinds] = {};
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_THREADS_SYNC_TABLE_H_
