// What orders the steps of tasks: told to whoever looks for races.
//
// A task that sets a future, releases a lock or puts an item releases what it
// has done until then to the object; whoever takes from the object afterwards
// acquires it. What is ordered by such a pair is no race. Nobody listens but
// the last run of a search, which explains a failure, and a search that is
// guided by who hands over to whom.

#ifndef CLOTHO_RUNTIME_INTERNAL_SYNC_H_
#define CLOTHO_RUNTIME_INTERNAL_SYNC_H_

namespace clotho::internal {

class SyncListener {
 public:
  virtual void Released(const void* object) = 0;
  virtual void Acquired(const void* object) = 0;
  // A new object, where another one may have been before. Told only of those
  // that can be acquired before they have been released.
  virtual void Made(const void* object) = 0;

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

// One of several who come together at the object.
inline void SyncJoin(const void* object) {
  SyncAcquire(object);
  SyncRelease(object);
}

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_SYNC_H_
