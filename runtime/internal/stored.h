// Stored<T>: the form in which the result T of a coroutine or function is
// stored.
//
// A reference is stored in an assignable form, and void as an empty value.

#ifndef CLOTHO_RUNTIME_INTERNAL_STORED_H_
#define CLOTHO_RUNTIME_INTERNAL_STORED_H_

#include <functional>
#include <variant>

namespace clotho::internal {

template <typename T>
struct StoredAs {
  using type = T;
};
template <typename T>
struct StoredAs<T&> {
  using type = std::reference_wrapper<T>;
};
template <>
struct StoredAs<void> {
  using type = std::monostate;
};
template <typename T>
using Stored = typename StoredAs<T>::type;

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_STORED_H_
