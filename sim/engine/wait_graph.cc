#include "clotho/sim/engine/wait_graph.h"

#include <algorithm>
#include <cstddef>
#include <source_location>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/task_base.h"
#include "clotho/sim/engine/format.h"

namespace clotho::sim::internal {
namespace {

using clotho::internal::FutureBase;
using clotho::internal::TaskBase;
using clotho::internal::WaitInfo;

class Builder {
 public:
  explicit Builder(const EventLoop& loop) {
    CoreOf(loop).ForEachTask([this](TaskBase& task) {
      indices_.emplace(&task, tasks_.size());
      tasks_.push_back(&task);
    });
  }

  WaitGraph Build() {
    for (const TaskBase* const task : tasks_)
      graph_.waits.push_back(Look(*task));
    state_.assign(tasks_.size(), kNew);
    for (std::size_t i = 0; i < tasks_.size() && graph_.cycle.empty(); ++i) {
      if (state_[i] == kNew) Visit(i);
    }
    return std::move(graph_);
  }

 private:
  enum State { kNew, kOnPath, kDone };

  Wait Look(const TaskBase& task) {
    Wait wait;
    wait.task = task.name();
    wait.background = task.background();
    wait.created_at = task.created_at();
    wait.stack = task.Stack();
    const FutureBase* const future = task.waiting_on();
    if (future == nullptr) return wait;
    WaitInfo info;
    future->Explain(info);
    wait.what = info.what;
    wait.held_at = info.held_at;
    wait.holds_by_taking =
        info.holder != nullptr && future->AsTask() == nullptr;
    AddHolders(*future, wait, /*depth=*/0);
    return wait;
  }

  // A gather of shields of gathers: deeper than any real nesting.
  static constexpr int kDepthMax = 100;

  void AddHolders(const FutureBase& future, Wait& wait, int depth) {
    WaitInfo info;
    future.Explain(info);
    if (info.holder != nullptr && info.parts.empty()) {
      const auto found = indices_.find(info.holder);
      if (found == indices_.end()) return;  // It is done: will never release.
      const std::size_t index = found->second;
      if (std::find(wait.holders.begin(), wait.holders.end(), index) ==
          wait.holders.end()) {
        wait.holders.push_back(index);
      }
    }
    if (depth == kDepthMax) return;
    for (const FutureBase* const part : info.parts) {
      AddHolders(*part, wait, depth + 1);
    }
  }

  // Depth-first, with an explicit stack, since chains of tasks may be long.
  void Visit(std::size_t root) {
    struct Frame {
      std::size_t task;
      std::size_t next_holder;
    };
    std::vector<Frame> path = {{root, 0}};
    state_[root] = kOnPath;
    while (!path.empty()) {
      Frame& top = path.back();
      const std::vector<std::size_t>& holders = graph_.waits[top.task].holders;
      if (top.next_holder == holders.size()) {
        state_[top.task] = kDone;
        path.pop_back();
        continue;
      }
      const std::size_t holder = holders[top.next_holder++];
      if (state_[holder] == kDone) continue;
      if (state_[holder] == kNew) {
        state_[holder] = kOnPath;
        path.push_back({holder, 0});
        continue;
      }
      bool inside = false;
      for (const Frame& frame : path) {
        inside = inside || frame.task == holder;
        if (inside) graph_.cycle.push_back(frame.task);
      }
      return;
    }
  }

  std::vector<const TaskBase*> tasks_;
  // Their indices. Only looked up, never iterated over.
  absl::flat_hash_map<const TaskBase*, std::size_t> indices_;
  WaitGraph graph_;
  std::vector<State> state_;
};

}  // namespace

WaitGraph BuildWaitGraph(const EventLoop& loop) {
  return Builder(loop).Build();
}

const std::source_location* PlaceOf(const Wait& wait) {
  const auto place =
      std::find_if_not(wait.stack.rbegin(), wait.stack.rend(), &IsOfTheRuntime);
  return place == wait.stack.rend() ? nullptr : &*place;
}

bool IsOfTheRuntime(const std::source_location& place) {
  return Place(place).rfind("runtime/", 0) == 0;
}

}  // namespace clotho::sim::internal
