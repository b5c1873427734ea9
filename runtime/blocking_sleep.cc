#include "clotho/runtime/blocking_sleep.h"

#include <chrono>
#include <thread>

#include "clotho/runtime/clock.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/internal/thread_model.h"

namespace clotho {

void BlockingSleep(Delay delay) {
  if (delay.ns() <= 0) return;
  if (internal::running_loop != nullptr) {
    CoreOf(*internal::running_loop).clock().Block(delay.ns());
  } else if (internal::thread_model != nullptr) {
    internal::thread_model->Block(delay.ns());
  } else {
    std::this_thread::sleep_for(std::chrono::nanoseconds(delay.ns()));
  }
}

}  // namespace clotho
