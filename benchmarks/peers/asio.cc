// The workloads of cross_runtime on standalone Asio: `awaitable<>` coroutines
// on one io_context. With -DASIO_DISABLE_THREADS it has no locks.
//
//   c++ -std=c++20 -O2 asio.cc -o asio && ./asio W1
//
// Asio has no virtual clock, so this file adds one: when Asio asks a timer how
// long it may block, the answer is "not at all", and the clock jumps to the
// deadline. This requires a reactor that asks; the epoll reactor does not.

#define ASIO_DISABLE_EPOLL 1

#include <asio.hpp>
#include <asio/experimental/channel.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <vector>

#include "common.h"

namespace peers {
namespace {

using asio::awaitable;
using asio::co_spawn;
using asio::detached;
using asio::io_context;
using asio::use_awaitable;

struct VirtualClock {
  using duration = std::chrono::milliseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<VirtualClock>;
  static constexpr bool is_steady = true;

  static time_point now() noexcept { return time; }

  static inline time_point time;
};

struct VirtualWait {
  static VirtualClock::duration to_wait_duration(
      const VirtualClock::duration& duration) {
    if (duration.count() > 0) VirtualClock::time += duration;
    return VirtualClock::duration::zero();
  }
  static VirtualClock::duration to_wait_duration(
      const VirtualClock::time_point& deadline) {
    return to_wait_duration(deadline - VirtualClock::time);
  }
};

using Timer = asio::basic_waitable_timer<VirtualClock, VirtualWait>;

double Run(io_context& context) {
  const double begin = Now();
  context.run();
  return Now() - begin;
}

awaitable<void> GiveWayOften(io_context& context, std::int64_t times) {
  for (std::int64_t i = 0; i < times; ++i) {
    co_await asio::post(context, use_awaitable);
  }
}

void W1() {
  constexpr std::int64_t kSwitches = 2'000'000;
  for (const std::int64_t tasks : {1, 100, 10'000}) {
    io_context context(1);
    for (std::int64_t i = 0; i < tasks; ++i) {
      co_spawn(context, GiveWayOften(context, kSwitches / tasks), detached);
    }
    Emit("W1.switch.N=", tasks, Run(context) / kSwitches, "ns/switch");
  }
}

awaitable<std::int64_t> Return(std::int64_t value) { co_return value; }

void W2() {
  constexpr std::int64_t kTasks = 1'000'000;
  io_context context(1);
  std::int64_t sum = 0;
  std::int64_t pending = kTasks;
  const double bytes_before = ResidentBytes();
  const double begin = Now();
  for (std::int64_t i = 0; i < kTasks; ++i) {
    co_spawn(context, Return(i), [&](std::exception_ptr, std::int64_t value) {
      sum += value;
      --pending;
    });
  }
  const double bytes = ResidentBytes() - bytes_before;
  context.run();
  const double ns = Now() - begin;
  Check(pending == 0 && sum == kTasks * (kTasks - 1) / 2,
        "W2: a result is lost");
  Emit("W2.spawn.cold", ns / kTasks, "ns/task");
  Emit("W2.bytes", bytes / kTasks, "B/task");
}

awaitable<void> SleepOften(io_context& context, std::uint32_t seed,
                           std::int64_t times, std::uint32_t most_ms,
                           std::int64_t& ends) {
  Timer timer(context);
  for (std::int64_t i = 0; i < times; ++i) {
    timer.expires_at(VirtualClock::now() +
                     VirtualClock::duration(1 + NextRandom(seed) % most_ms));
    co_await timer.async_wait(use_awaitable);
  }
  ++ends;
}

double SleepAll(std::int64_t tasks, std::int64_t times, std::uint32_t most_ms) {
  VirtualClock::time = {};
  io_context context(1);
  std::int64_t ends = 0;
  const double begin = Now();
  for (std::int64_t i = 0; i < tasks; ++i) {
    co_spawn(context,
             SleepOften(context, static_cast<std::uint32_t>(i), times, most_ms,
                        ends),
             detached);
  }
  context.run();
  const double ns = Now() - begin;
  Check(ends == tasks, "W3: a task did not end");
  return ns;
}

void W3() {
  Emit("W3.timer.dense", SleepAll(1'000'000, 3, 1'000) / 3'000'000, "ns/event");
  Emit("W3.timer.sparse", SleepAll(1'000, 300, 100'000) / 300'000, "ns/event");
}

using Channel =
    asio::experimental::channel<void(asio::error_code, std::int64_t)>;

awaitable<void> PutAll(Channel& channel, std::int64_t messages) {
  for (std::int64_t i = 0; i < messages; ++i) {
    co_await channel.async_send(asio::error_code(), i, use_awaitable);
  }
}

awaitable<void> GetAll(Channel& channel, std::int64_t messages,
                       std::int64_t& sum) {
  for (std::int64_t i = 0; i < messages; ++i) {
    sum += co_await channel.async_receive(use_awaitable);
  }
}

double RunChannel(std::int64_t producers, std::int64_t messages) {
  io_context context(1);
  Channel channel(context, 1);
  const std::int64_t each = messages / producers;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < producers; ++i) {
    co_spawn(context, PutAll(channel, each), detached);
  }
  co_spawn(context, GetAll(channel, messages, sum), detached);
  const double ns = Run(context);
  Check(sum == producers * (each * (each - 1) / 2), "W4: a message is lost");
  return ns;
}

void W4() {
  constexpr std::int64_t kMessages = 1'000'000;
  Emit("W4.chan.1p1c", RunChannel(1, kMessages) / kMessages, "ns/msg");
  Emit("W4.chan.1000p1c", RunChannel(1'000, kMessages) / kMessages, "ns/msg");
}

std::int64_t ends = 0;

// The compiler must not know what the destructor does.
struct CountsItsEnd {
  ~CountsItsEnd() {
    ++ends;
    asm volatile("" ::: "memory");
  }
};

awaitable<void> Leaf(Timer& timer) {
  const CountsItsEnd end;
  co_await timer.async_wait(use_awaitable);
}

awaitable<void> Middle(Timer& timer) {
  const CountsItsEnd end;
  co_await Leaf(timer);
}

awaitable<void> Top(Timer& timer) {
  const CountsItsEnd end;
  co_await Middle(timer);
}

void W5() {
  constexpr std::int64_t kTasks = 100'000;
  VirtualClock::time = {};
  io_context context(1);
  std::int64_t cancelled = 0;
  std::deque<Timer> timers;
  std::vector<asio::cancellation_signal> signals(kTasks);
  for (asio::cancellation_signal& signal : signals) {
    timers.emplace_back(context, VirtualClock::time_point(
                                     VirtualClock::duration(1'000'000'000)));
    co_spawn(context, Top(timers.back()),
             asio::bind_cancellation_slot(signal.slot(),
                                          [&](std::exception_ptr exception) {
                                            if (exception) ++cancelled;
                                          }));
  }
  context.poll();
  const double begin = Now();
  for (asio::cancellation_signal& signal : signals) {
    signal.emit(asio::cancellation_type::terminal);
  }
  context.run();
  const double ns = Now() - begin;
  Check(cancelled == kTasks && ends == 3 * kTasks,
        "W5: a task was not cancelled");
  Emit("W5.cancel", ns / kTasks, "ns/cancel");
}

awaitable<std::int64_t> Chain(std::int64_t depth) {
  if (depth == 0) co_return 1;
  co_return 1 + co_await Chain(depth - 1);
}

awaitable<void> RunChain(std::int64_t depth, std::int64_t times,
                         std::int64_t& sum) {
  for (std::int64_t i = 0; i < times; ++i) sum += co_await Chain(depth);
}

void W6() {
  for (const std::int64_t depth : {1'000, 10}) {
    const std::int64_t times = 1'000'000 / depth;
    const std::int64_t calls = times * (depth + 1);
    io_context context(1);
    std::int64_t sum = 0;
    co_spawn(context, RunChain(depth, times, sum), detached);
    const double ns = Run(context);
    Check(sum == calls, "W6: a call is lost");
    Emit("W6.chain.d=", depth, ns / static_cast<double>(calls), "ns/call");
  }
}

constexpr Workload kWorkloads[] = {{"W1", &W1}, {"W2", &W2}, {"W3", &W3},
                                   {"W4", &W4}, {"W5", &W5}, {"W6", &W6}};

}  // namespace
}  // namespace peers

int main(int argc, char** argv) {
  return peers::RunWorkload(peers::kWorkloads, argc, argv);
}
