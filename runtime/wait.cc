#include "clotho/runtime/wait.h"

#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/task_base.h"

namespace clotho::internal {

std::vector<bool> AreRepeated(const std::vector<const FutureBase*>& futures) {
  absl::flat_hash_set<const FutureBase*> seen;  // Its order is not used.
  std::vector<bool> repeated;
  repeated.reserve(futures.size());
  for (const FutureBase* const future : futures) {
    repeated.push_back(!seen.insert(future).second);
  }
  return repeated;
}

WaitState::WaitState(EventLoop& loop, std::vector<Ref<FutureBase>> futures,
                     const WaitOptions& options)
    : WaiterFuture(loop),
      futures_(std::move(futures)),
      watchers_(futures_.size()),
      missing_(futures_.size()),
      return_when_(options.return_when),
      end_(*this) {
  SyncUnknown("Wait");
  if (options.timeout.has_value()) {
    AddRef();  // The timer's.
    CoreOf(loop).Arm(
        end_, SaturatingAdd(CoreOf(loop).NowNs(), options.timeout->ns()));
  }
  for (const Ref<FutureBase>& future : futures_) {
    Watcher& watcher = watchers_.Emplace(*this, *future);
    AddRef();  // The watcher's.
    if (future->done()) {
      CoreOf(loop).Push(watcher);
    } else {
      future->AddWaiter(watcher);
    }
  }
}

void WaitState::Leave() {
  Disarm();
  for (Watcher& watcher : watchers_) {
    if (!watcher.is_linked()) continue;
    watcher.Unlink();
    Release();
  }
  Release();
}

void WaitState::Disarm() {
  if (!end_.armed()) return;
  CoreOf(*loop()).Disarm(end_);
  Release();
}

void WaitState::Watcher::Run() {
  SyncJoin(&wait_);
  wait_.FutureIsDone(future_);
  wait_.Release();
}

void WaitState::End::Run() {
  wait_.Wake();
  wait_.Release();
}

void WaitState::FutureIsDone(FutureBase& future) {
  CLOTHO_DCHECK(missing_ > 0 && future.done(),
                "each future of a wait becomes done once");
  --missing_;
  bool enough = missing_ == 0 || return_when_ == ReturnWhen::kFirstCompleted;
  if (!enough && return_when_ == ReturnWhen::kFirstException &&
      future.state() != State::kCancelled) {
    future.MarkRetrieved();  // The caller inspects it (W-03).
    enough = future.has_exception();
  }
  if (!enough) return;
  Disarm();
  Wake();
}

Runnable* WaitState::Watcher::EventualStep() {
  if (wait_.done()) return nullptr;
  const bool enough =
      wait_.missing_ == 1 ||
      wait_.return_when_ == ReturnWhen::kFirstCompleted ||
      (wait_.return_when_ == ReturnWhen::kFirstException &&
       future_.state() == State::kFinished && future_.has_exception());
  return enough ? wait_.FirstEventualStep() : nullptr;
}

void WaitState::Explain(WaitInfo& info) const {
  info.what = absl::StrCat("Wait(", futures_.size(), ")");
  for (const Ref<FutureBase>& future : futures_) {
    if (!future->done()) info.parts.push_back(future.get());
  }
}

void WaitAwaiterBase::Suspend(std::vector<Ref<FutureBase>> futures) {
  if (futures.empty()) throw ValueError("Set of Tasks/Futures is empty.");
  TaskBase& task = parent_.task();
  state_ = new WaitState(*task.loop(), std::move(futures), options_);
  task.WaitOn(parent_, *state_);
}

void WaitAwaiterBase::Resume() {
  parent_.task().ThrowInjected();
  state_->ThrowUnlessValue();
}

}  // namespace clotho::internal
