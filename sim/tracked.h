// Tracked<T>: shared state whose uses a search can see.
//
//   class JobQueue {
//     ...
//     sim::Tracked<std::deque<Job>> jobs_{"jobs"};
//   };
//
//   if (jobs_.Read().empty()) ...
//   jobs_.Write().push_back(job);
//   sim::Tracked<int> count{"count", 0};
//   count = count + 1;  // A read, then a write.
//
// Outside a simulation it behaves like a T. In a simulation, the strategies
// that use conflicts (POS, SURW) learn which step touches what, and the report
// of a failure shows which access came in between two others that belong
// together.
//
// Do not keep the reference that Read() or Write() returns beyond the next
// suspension: later uses through it are not seen. `->` counts as a write unless
// the Tracked is const.

#ifndef CLOTHO_SIM_TRACKED_H_
#define CLOTHO_SIM_TRACKED_H_

#include <concepts>
#include <cstdint>
#include <source_location>
#include <string_view>
#include <utility>

namespace clotho::sim {

namespace internal {

// The identity of a tracked object in the execution that created it.
class TrackedBase {
 protected:
  // `name` must outlive the object; use a string literal.
  explicit TrackedBase(std::string_view name);
  // A copy is a different object.
  TrackedBase(const TrackedBase& other) : TrackedBase(other.name_) {}
  TrackedBase& operator=(const TrackedBase&) { return *this; }
  ~TrackedBase() = default;

  void Touch(bool write, const std::source_location& location) const;

 private:
  std::string_view name_;
  std::uint64_t object_;
};

}  // namespace internal

template <typename T>
class Tracked : private internal::TrackedBase {
 public:
  // A name for reports.
  explicit Tracked(std::string_view name) : TrackedBase(name) {}
  template <typename... Args>
  explicit Tracked(std::string_view name, Args&&... args)
      : TrackedBase(name), value_(std::forward<Args>(args)...) {}
  Tracked(const Tracked& other)
    requires std::copy_constructible<T>
      : TrackedBase(other), value_(other.Read()) {}
  Tracked& operator=(const Tracked& other)
    requires std::copyable<T>
  {
    if (this != &other) Write() = other.Read();
    return *this;
  }
  // To move from it is to write to it.
  Tracked(Tracked&& other)
    requires std::move_constructible<T>
      : TrackedBase(other), value_(std::move(other.Write())) {}
  Tracked& operator=(Tracked&& other)
    requires std::movable<T>
  {
    if (this != &other) Write() = std::move(other.Write());
    return *this;
  }

  const T& Read(
      std::source_location location = std::source_location::current()) const {
    Touch(/*write=*/false, location);
    return value_;
  }
  T& Write(std::source_location location = std::source_location::current()) {
    Touch(/*write=*/true, location);
    return value_;
  }

  // Like Read and Write, but without a place, because operators cannot take
  // one.
  operator const T&() const { return Read(std::source_location()); }
  Tracked& operator=(const T& value)
    requires std::copyable<T>
  {
    Write(std::source_location()) = value;
    return *this;
  }
  Tracked& operator=(T&& value) {
    Write(std::source_location()) = std::move(value);
    return *this;
  }
  const T* operator->() const { return &Read(std::source_location()); }
  T* operator->() { return &Write(std::source_location()); }

 private:
  T value_{};
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_TRACKED_H_
