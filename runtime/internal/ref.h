// Ref<T>: a reference-counted pointer for objects of one thread.
//
// The count is a plain integer in the object (`AddRef`, `Release`): atomics
// would cost more than everything else a future does.

#ifndef CLOTHO_RUNTIME_INTERNAL_REF_H_
#define CLOTHO_RUNTIME_INTERNAL_REF_H_

#include <cstddef>
#include <utility>

#include "clotho/runtime/internal/check.h"

namespace clotho::internal {

template <typename T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}  // NOLINT: an empty reference.
  explicit Ref(T* object) noexcept : object_(object) {
    if (object_ != nullptr) object_->AddRef();
  }
  Ref(const Ref& other) noexcept : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr) object_->Release();
  }

  // Takes over a reference that the caller holds.
  static Ref Adopt(T* object) noexcept {
    Ref ref;
    ref.object_ = object;
    return ref;
  }
  // Releases ownership without releasing the reference.
  T* Leak() noexcept { return std::exchange(object_, nullptr); }

  T* get() const noexcept { return object_; }
  T* operator->() const noexcept {
    CLOTHO_DCHECK(object_ != nullptr, "a null reference has no object");
    return object_;
  }
  T& operator*() const noexcept {
    CLOTHO_DCHECK(object_ != nullptr, "a null reference has no object");
    return *object_;
  }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  bool operator==(const Ref& other) const = default;

 private:
  T* object_ = nullptr;
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_REF_H_
