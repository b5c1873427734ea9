// Ordinary C++ with threads, and a bug: a worker that sometimes never ends.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "clotho/sim/options.h"
#include "clotho/sim/threads.h"
#include "gtest/gtest.h"

namespace {

// Runs jobs in a thread of its own. Its destructor waits for those posted.
class Worker {
 public:
  ~Worker() {
    stopping_ = true;  // Should hold mutex_.
    changed_.notify_one();
    thread_.join();
  }

  void Post(std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    changed_.notify_one();
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_{[this] { Run(); }};
};

CLOTHO_THREADS_TEST(WorkerTest, RunsItsJob, clotho::sim::Fuzz()) {
  bool done = false;
  {
    Worker worker;
    worker.Post([&done] { done = true; });
  }
  EXPECT_TRUE(done);
}

}  // namespace
