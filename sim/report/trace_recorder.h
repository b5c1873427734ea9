// TraceRecorder: the Observer that records a Trace.

#ifndef CLOTHO_SIM_REPORT_TRACE_RECORDER_H_
#define CLOTHO_SIM_REPORT_TRACE_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/simulated_thread.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/report/races.h"
#include "clotho/sim/report/symbolizer.h"

namespace clotho::sim::internal {

class TraceRecorder final : public Observer {
 public:
  explicit TraceRecorder(const Simulator& simulator);
  ~TraceRecorder() override;

  Trace& trace() { return trace_; }
  // Called when everything is recorded, before the execution is torn down.
  void set_on_end(std::function<void()> on_end) { on_end_ = std::move(on_end); }
  const RaceFinder& races() const { return races_; }
  // The name of the task that took the last step. Empty: none.
  std::string LastToStep() const {
    return last_ == kNoLane ? "" : trace_.lanes[last_];
  }

 private:
  using TaskBase = clotho::internal::TaskBase;
  using FutureBase = clotho::internal::FutureBase;
  using Runnable = clotho::internal::Runnable;

  static constexpr std::size_t kNoLane = SIZE_MAX;

  void Step(const ChoicePoint& point, std::size_t choice) override;
  void Touched(std::uint64_t object, bool write, std::string_view name,
               const std::source_location& location) override;
  void Due(std::uint64_t step, const Candidate& timer) override;
  void Chose(std::string_view what, std::uint64_t value,
             const std::source_location& location) override;
  void ThreadDoes(const SimulatedThread& thread, TraceEvent::Kind kind,
                  std::string_view text, const SimulatedThread* other,
                  std::span<void* const> stack) override;
  void Contradicts(TraceHistory history) override;
  void Failed(const Failure& failure) override;
  void End(EventLoop& loop) override;
  void TaskCreated(const TaskBase& task) override;
  void TaskDone(const TaskBase& task) override;
  void BecameReady(const Runnable& runnable) override;
  void StepBegins(const Runnable& runnable) override;
  void StepEnds() override;
  void TaskWaits(const TaskBase& task, const FutureBase* future) override;

  // When and at which step a task began its last wait.
  struct Since {
    std::uint64_t step = 0;
    std::int64_t time_ns = 0;
  };
  Since WaitsSince(const std::string& task) const;

  std::size_t LaneOf(const TaskBase& task);
  std::size_t LaneOf(const SimulatedThread& thread);
  std::size_t CallbackLane();
  TraceEvent& Add(std::size_t lane, TraceEvent::Kind kind,
                  std::string_view text);
  static void SetPlace(TraceEvent& event, const std::source_location& location);
  // "worker-1 (job_queue.cc:23)".
  std::string Describe(const Candidate& candidate) const;
  // What made something ready: a step and its task, or a timer.
  struct Cause {
    std::uint64_t step = 0;
    std::int64_t time_ns = 0;
    std::size_t lane = kNoLane;  // kNoLane: no task did.
    bool timer = false;          // A timer was due.
  };
  // Why a candidate may run now.
  std::string Why(const ChoicePoint& point, std::size_t index) const;
  Cause CauseOf(const Runnable& runnable) const;
  // One plus the index in trace_.stacks of where a task is suspended; 0 if that
  // is a single place.
  std::size_t StackOf(const TaskBase& task);
  void DescribeWaits(EventLoop& loop);
  // The same for threads, whose places are addresses so far.
  void DescribeThreadWaits();
  void NamePlacesOfThreads();

  const Simulator& simulator_;
  Trace trace_;
  RaceFinder races_;
  clotho::internal::SyncListener* const outer_listener_;
  std::map<std::uint32_t, std::size_t> lanes_;  // By task number.
  std::map<std::string, Since, std::less<>> since_;
  // By address. Only looked up, never iterated over.
  std::map<const Runnable*, Cause> ready_;
  std::map<std::vector<TraceFrame>, std::size_t> stacks_;
  // Where threads were: the index of an event, and return addresses.
  std::vector<std::pair<std::size_t, std::vector<void*>>> thread_places_;
  Symbolizer symbolizer_;
  std::size_t callback_lane_ = kNoLane;
  std::uint32_t current_chain_ = 0;
  // The task whose step runs; kNoLane for bookkeeping.
  std::size_t current_ = kNoLane;
  std::size_t last_ = kNoLane;          // The task that took the last step.
  const Runnable* stepping_ = nullptr;  // What the current step runs.
  std::function<void()> on_end_;
  // The steps that are running: an eager task's step is inside another's.
  std::vector<std::size_t> outer_;
  // What made the running bookkeeping ready.
  std::optional<Cause> bookkeeping_;
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_TRACE_RECORDER_H_
