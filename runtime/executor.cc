#include "clotho/runtime/executor.h"

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "clotho/runtime/concurrent_future.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/thread_model.h"

namespace clotho {
namespace {

std::size_t DefaultWorkers() {
  return std::min<std::size_t>(32, std::thread::hardware_concurrency() + 4);
}

}  // namespace

class ThreadPoolExecutor::Threads {
 public:
  Threads(ThreadPoolExecutor& pool, std::size_t workers_max)
      : pool_(pool), workers_max_(workers_max) {}

  // Throws RuntimeError after `Close`.
  void CheckOpen() {
    std::lock_guard<std::mutex> lock(mutex_);
    CheckOpenLocked();
  }

  void Add(std::unique_ptr<ExecutorJob> job) {
    std::lock_guard<std::mutex> lock(mutex_);
    CheckOpenLocked();
    if (idle_ <= queue_.size() && threads_.size() < workers_max_) {
      threads_.emplace_back([this] { Work(); });
      ++working_;
    }
    queue_.push_back(std::move(job));
    changed_.notify_one();
  }

  // Returns true if no job is left; true at most once.
  bool Close(bool cancel_futures) {
    std::deque<std::unique_ptr<ExecutorJob>> cancelled;
    bool drained = false;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      drained = !closed_ && working_ == 0;
      closed_ = true;
      if (cancel_futures) cancelled.swap(queue_);
      changed_.notify_all();
    }
    for (const std::unique_ptr<ExecutorJob>& job : cancelled) job->Cancel();
    return drained;
  }

  void Join() {
    // The list does not change after `Close`. Two threads may wait for its end.
    std::lock_guard<std::mutex> lock(joining_);
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

 private:
  void CheckOpenLocked() const {
    if (closed_) {
      throw RuntimeError("cannot schedule new futures after shutdown");
    }
  }

  // The body of each thread.
  void Work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      ++idle_;
      changed_.wait(lock, [this] { return closed_ || !queue_.empty(); });
      --idle_;
      if (queue_.empty()) break;
      std::unique_ptr<ExecutorJob> job = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      job->Run();
      job.reset();
      lock.lock();
    }
    const bool is_last = --working_ == 0;
    lock.unlock();
    if (is_last) pool_.Drained();
  }

  ThreadPoolExecutor& pool_;
  const std::size_t workers_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<ExecutorJob>> queue_;
  std::size_t idle_ = 0;     // Threads that wait for a job.
  std::size_t working_ = 0;  // Threads that have not ended.
  bool closed_ = false;
  std::vector<std::thread> threads_;
  std::mutex joining_;
};

ThreadPoolExecutor::ThreadPoolExecutor(ThreadPoolOptions options)
    : max_workers_(options.max_workers),
      threads_(std::make_unique<Threads>(*this, max_workers_.has_value()
                                                    ? std::max(*max_workers_, 0)
                                                    : DefaultWorkers())) {
  if (max_workers_.has_value() && *max_workers_ <= 0) {
    throw ValueError("max_workers must be greater than 0");
  }
  drained_.SetRunningOrNotifyCancel();  // It can no longer be cancelled.
}

ThreadPoolExecutor::~ThreadPoolExecutor() {
  Shutdown();
  if (internal::thread_model != nullptr) internal::thread_model->Forget(*this);
}

void ThreadPoolExecutor::Execute(std::unique_ptr<ExecutorJob> job) {
  if (internal::thread_model != nullptr) {
    threads_->CheckOpen();
    internal::thread_model->Execute(*this, std::move(job));
  } else {
    threads_->Add(std::move(job));
  }
}

void ThreadPoolExecutor::Shutdown(ShutdownOptions options) {
  const bool drained = threads_->Close(options.cancel_futures);
  if (internal::thread_model != nullptr) {
    internal::thread_model->Shutdown(*this, options.wait,
                                     options.cancel_futures);
  } else if (drained) {
    Drained();
  }
  if (options.wait) threads_->Join();
}

ConcurrentFuture<void> ThreadPoolExecutor::ShutdownInBackground() {
  Shutdown({.wait = false});
  return drained_;
}

void ThreadPoolExecutor::Drained() {
  if (!drained_.Done()) drained_.SetResult();
}

}  // namespace clotho
