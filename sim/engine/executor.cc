#include "clotho/sim/engine/executor.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <source_location>
#include <utility>
#include <vector>

#include "clotho/runtime/clock.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/executor.h"
#include "clotho/runtime/internal/ref.h"

namespace clotho::sim::internal {
namespace {

using clotho::internal::Ref;

// The default on a machine with one core, so that a program that needs more
// workers fails in a simulation.
constexpr int kDefaultWorkers = 5;

// While it exists, this thread stands for another one: no loop runs here,
// functions that only the loop's thread may call are refused, and the context
// is invisible.
class OtherThread {
 public:
  explicit OtherThread(EventLoop& loop)
      : loop_(loop),
        running_(std::exchange(clotho::internal::running_loop, nullptr)),
        checked_(CoreOf(loop).set_checks_thread(true)),
        scope_(context_) {}
  ~OtherThread() {
    CoreOf(loop_).set_checks_thread(checked_);
    clotho::internal::running_loop = running_;
  }
  OtherThread(const OtherThread&) = delete;

 private:
  EventLoop& loop_;
  EventLoop* const running_;
  const bool checked_;
  clotho::internal::ContextSlot context_;
  clotho::internal::ContextScope scope_;
};

}  // namespace

struct Worker::Pool {
  struct Waiting {
    std::unique_ptr<ExecutorJob> job;
    std::uint64_t number;
  };

  ThreadPoolExecutor* executor = nullptr;
  bool is_shut_down = false;
  std::deque<Waiting> queue;
  std::vector<Ref<Worker>> workers;
};

Worker::Worker(Executors& executors, Pool& pool, std::uint32_t chain)
    : Timer(clotho::internal::RunnableKind::kCallback),
      executors_(executors),
      pool_(pool) {
  set_chain(chain);
}

void Worker::Run() {
  const Ref<Worker> self = Ref<Worker>::Adopt(this);
  // Otherwise a blocking call has already waited for this event.
  if (waits_) executors_.Step(*this);
}

std::source_location Worker::location() const {
  if (job_ != nullptr) return job_->location();
  if (!waits_ || pool_.queue.empty()) return {};
  return pool_.queue.front().job->location();
}

Executors::Executors(EventLoop& loop) : loop_(loop) {}

Executors::~Executors() = default;

void Executors::Clear() {
  pools_.clear();
  job_count_ = 0;
}

Worker::Pool* Executors::Find(const ThreadPoolExecutor& executor) {
  for (const std::unique_ptr<Worker::Pool>& pool : pools_) {
    if (pool->executor == &executor) return pool.get();
  }
  return nullptr;
}

void Executors::Execute(ThreadPoolExecutor& executor,
                        std::unique_ptr<ExecutorJob> job) {
  Worker::Pool* pool = Find(executor);
  if (pool == nullptr) {
    pool = pools_.emplace_back(std::make_unique<Worker::Pool>()).get();
    pool->executor = &executor;
  }
  pool->queue.push_back({std::move(job), ++job_count_});
  for (const Ref<Worker>& worker : pool->workers) {
    if (worker->waits_ || worker->has_job()) continue;
    Arm(*worker, 0);
    return;
  }
  const int workers_max = executor.max_workers().value_or(kDefaultWorkers);
  if (pool->workers.size() == static_cast<std::size_t>(workers_max)) return;
  pool->workers.emplace_back(
      new Worker(*this, *pool, CoreOf(loop_).NewChain()));
  Arm(*pool->workers.back(), 0);
}

void Executors::Arm(Worker& worker, std::int64_t delay_ns) {
  worker.waits_ = true;
  worker.AddRef();  // For the loop.
  CoreOf(loop_).Arm(
      worker, clotho::internal::SaturatingAdd(
                  CoreOf(loop_).NowNs(), std::max<std::int64_t>(delay_ns, 0)));
}

void Executors::Step(Worker& worker) {
  worker.waits_ = false;
  Worker::Pool& pool = worker.pool_;
  if (worker.has_job()) {
    const OtherThread other(loop_);
    std::exchange(worker.job_, nullptr)->Finish();
    if (!pool.queue.empty()) Arm(worker, 0);
  } else {
    while (!pool.queue.empty() && !worker.has_job()) {
      Worker::Pool::Waiting next = std::move(pool.queue.front());
      pool.queue.pop_front();
      if (!next.job->Begin()) continue;  // It was cancelled.
      worker.job_ = std::move(next.job);
      Begin(worker, next.number);
    }
  }
  TellIfDrained(pool);
}

void Executors::Begin(Worker& worker, std::uint64_t number) {
  // A job may block on jobs of another executor.
  Worker* const outer = std::exchange(current_, &worker);
  const std::int64_t outer_blocked_ns = std::exchange(blocked_ns_, 0);
  {
    const OtherThread other(loop_);
    worker.job_->Call();
  }
  const JobInfo info{.number = number,
                     .location = worker.job_->location(),
                     .blocked = Delay::Nanoseconds(blocked_ns_)};
  current_ = outer;
  blocked_ns_ = outer_blocked_ns;
  Arm(worker, (job_time_ != nullptr ? job_time_(info) : info.blocked).ns());
}

void Executors::Shutdown(ThreadPoolExecutor& executor, bool wait,
                         bool cancel_futures) {
  Worker::Pool* const pool = Find(executor);
  if (pool == nullptr) {
    executor.Drained();
    return;
  }
  pool->is_shut_down = true;
  if (cancel_futures) {
    std::deque<Worker::Pool::Waiting> cancelled;
    cancelled.swap(pool->queue);
    for (const Worker::Pool::Waiting& waiting : cancelled) {
      waiting.job->Cancel();
    }
  }
  if (wait) Drain(*pool);
  TellIfDrained(*pool);
}

void Executors::Drain(Worker::Pool& pool) {
  while (true) {
    Worker* next = nullptr;
    for (const Ref<Worker>& worker : pool.workers) {
      if (!worker->waits_) continue;
      if (next == nullptr || worker->when_ns() < next->when_ns()) {
        next = worker.get();
      }
    }
    if (next == nullptr) return;
    const std::int64_t wait_ns = next->when_ns() - CoreOf(loop_).NowNs();
    if (next->armed()) {
      CoreOf(loop_).Disarm(*next);
      next->Release();
    }
    if (current_ != nullptr) {
      blocked_ns_ = std::max(blocked_ns_, wait_ns);
    } else if (wait_ns > 0) {
      CoreOf(loop_).clock().Block(wait_ns);
    }
    Step(*next);
  }
}

void Executors::TellIfDrained(Worker::Pool& pool) {
  if (!pool.is_shut_down || !pool.queue.empty()) return;
  for (const Ref<Worker>& worker : pool.workers) {
    if (worker->has_job()) return;
  }
  const OtherThread other(loop_);
  pool.executor->Drained();
}

void Executors::Forget(ThreadPoolExecutor& executor) {
  std::erase_if(pools_, [&executor](const auto& pool) {
    return pool->executor == &executor;
  });
}

void Executors::Block(std::int64_t duration_ns) {
  if (current_ != nullptr) {
    blocked_ns_ = clotho::internal::SaturatingAdd(blocked_ns_, duration_ns);
  } else {
    CoreOf(loop_).clock().Block(duration_ns);
  }
}

}  // namespace clotho::sim::internal
