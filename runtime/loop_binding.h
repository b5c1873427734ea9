// LoopBinding: binds a primitive to the loop in which a task first had to wait
// for it (rule SP-01).
//
// Otherwise two loops of one thread could wait for the same lock, and a release
// in one would wake no task in the other. Operations that do not wait are not
// checked, and cost nothing.

#ifndef CLOTHO_RUNTIME_LOOP_BINDING_H_
#define CLOTHO_RUNTIME_LOOP_BINDING_H_

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"

namespace clotho::internal {

class LoopBinding {
 public:
  // Called for a task of `loop` that is about to wait for `primitive`. Throws
  // RuntimeError if the primitive is bound to another loop.
  template <typename Primitive>
  void Bind(const EventLoop& loop, const Primitive& primitive) {
    if (loop_number_ == 0) loop_number_ = CoreOf(loop).number();
    if (loop_number_ != CoreOf(loop).number()) [[unlikely]] {
      throw RuntimeError(absl::StrCat(primitive.Describe(),
                                      " is bound to a different event loop"));
    }
  }

 private:
  // Not an address, which another loop could reuse later.
  std::uint64_t loop_number_ = 0;  // 0: not bound yet.
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_LOOP_BINDING_H_
