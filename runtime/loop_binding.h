// LoopBinding: a primitive belongs to the loop in which a task first had to
// wait for it (rule SP-01).
//
// Two loops of one thread could otherwise wait for the same lock, and a release
// in the one would wake nobody in the other. Who does not have to wait is not
// asked: it costs nothing there.

#ifndef CLOTHO_RUNTIME_LOOP_BINDING_H_
#define CLOTHO_RUNTIME_LOOP_BINDING_H_

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"

namespace clotho::internal {

class LoopBinding {
 public:
  // For a task of `loop` that is about to wait for `primitive`. Throws
  // RuntimeError if the primitive is another loop's.
  template <typename Primitive>
  void Bind(const EventLoop& loop, const Primitive& primitive) {
    if (loop_number_ == 0) loop_number_ = loop.number();
    if (loop_number_ != loop.number()) [[unlikely]] {
      throw RuntimeError(absl::StrCat(primitive.Describe(),
                                      " is bound to a different event loop"));
    }
  }

 private:
  // Not an address: another loop may have the same one later.
  std::uint64_t loop_number_ = 0;  // 0: of no loop yet.
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_LOOP_BINDING_H_
