// FixedArray<T>: a contiguous array of objects that do not move. Its capacity
// is set when the first object is created. Allocates from the pool once.

#ifndef CLOTHO_RUNTIME_INTERNAL_FIXED_ARRAY_H_
#define CLOTHO_RUNTIME_INTERNAL_FIXED_ARRAY_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/frame_pool.h"

namespace clotho::internal {

template <typename T>
class FixedArray {
 public:
  explicit FixedArray(std::size_t size_max)
      : size_max_(size_max),
        elements_(size_max == 0 ? nullptr
                                : PoolAllocator<T>().allocate(size_max)) {}
  ~FixedArray() {
    std::destroy_n(elements_, size_);
    if (elements_ != nullptr) {
      PoolAllocator<T>().deallocate(elements_, size_max_);
    }
  }
  FixedArray(const FixedArray&) = delete;
  FixedArray& operator=(const FixedArray&) = delete;

  template <typename... Args>
  T& Emplace(Args&&... args) {
    CLOTHO_DCHECK(size_ < size_max_, "an array has room for its elements");
    T* const element =
        std::construct_at(&elements_[size_], std::forward<Args>(args)...);
    ++size_;
    return *element;
  }

  std::size_t size() const { return size_; }
  T* begin() const { return elements_; }
  T* end() const { return elements_ + size_; }
  T& operator[](std::size_t index) const {
    CLOTHO_DCHECK(index < size_, "an index is within the array");
    return elements_[index];
  }

 private:
  const std::size_t size_max_;
  std::size_t size_ = 0;
  T* const elements_;
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_FIXED_ARRAY_H_
