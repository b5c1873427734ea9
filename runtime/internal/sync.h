// Reports what orders the steps of tasks, and what they share. Listeners use it
// to find races, or steps that are independent of each other.
//
// A task that sets a future, releases a lock or puts an item releases its
// previous work to the object; a task that later takes from the object acquires
// it. Accesses ordered by such a pair are not a race. A step touches an object
// if it reads or changes the object's state: a release is a write, an acquire
// is a read. Only three things listen: the final run of a search, which
// explains a failure; a search guided by handoffs; and a search that reduces.

#ifndef CLOTHO_RUNTIME_INTERNAL_SYNC_H_
#define CLOTHO_RUNTIME_INTERNAL_SYNC_H_

#include <cstdint>
#include <string_view>

namespace clotho::internal {

class SyncListener {
 public:
  virtual void Released(const void* object) = 0;
  virtual void Acquired(const void* object) = 0;
  // An object is new, whatever was at its address before.
  virtual void Made(const void* /*object*/) {}
  virtual void Used(const void* /*object*/, bool /*write*/) {}
  // A timer was set for a time, or was disarmed.
  virtual void TimerSet(std::int64_t /*when_ns*/) {}
  virtual void TimerDisarmed(std::int64_t /*when_ns*/) {}
  // Something was used whose state is not reported to listeners.
  virtual void Unknown(std::string_view /*what*/) {}

 protected:
  ~SyncListener() = default;
};
inline thread_local constinit SyncListener* sync_listener = nullptr;

inline void SyncRelease(const void* object) {
  if (sync_listener != nullptr) [[unlikely]]
    sync_listener->Released(object);
}

inline void SyncAcquire(const void* object) {
  if (sync_listener != nullptr) [[unlikely]]
    sync_listener->Acquired(object);
}

inline void SyncMake(const void* object) {
  if (sync_listener != nullptr) [[unlikely]]
    sync_listener->Made(object);
}

inline void SyncRead(const void* object) {
  if (sync_listener != nullptr) [[unlikely]]
    sync_listener->Used(object, /*write=*/false);
}

inline void SyncWrite(const void* object) {
  if (sync_listener != nullptr) [[unlikely]]
    sync_listener->Used(object, /*write=*/true);
}

inline void SyncTimerSet(std::int64_t when_ns) {
  if (sync_listener != nullptr) [[unlikely]]
    sync_listener->TimerSet(when_ns);
}

inline void SyncTimerDisarmed(std::int64_t when_ns) {
  if (sync_listener != nullptr) [[unlikely]]
    sync_listener->TimerDisarmed(when_ns);
}

inline void SyncUnknown(std::string_view what) {
  if (sync_listener != nullptr) [[unlikely]]
    sync_listener->Unknown(what);
}

// For one of several tasks that meet at the object.
inline void SyncJoin(const void* object) {
  SyncAcquire(object);
  SyncRelease(object);
}

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_SYNC_H_
