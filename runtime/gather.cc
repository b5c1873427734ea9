#include "clotho/runtime/gather.h"

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/check.h"
#include "clotho/runtime/internal/sync.h"

namespace clotho::internal {
namespace {

// The CancelledError of a child, as awaiting it would throw; a new one if the
// child was not cancelled.
std::exception_ptr CancelledErrorOf(FutureBase& child) {
  if (child.state() == FutureBase::State::kCancelled) {
    return child.OutcomeAsException();
  }
  return std::make_exception_ptr(
      CancelledError(ToString(child.requested_message())));
}

}  // namespace

EventLoop& LoopOfGather(const FutureVector& children) {
  return children.empty() ? GetRunningLoop() : children.front()->LiveLoop();
}

void GatherBase::Adopt(FutureVector children) {
  children_ = std::move(children);
  for (const Ref<FutureBase>& child : children_) SyncRead(child.get());
  if (children_.empty()) {
    Collect();
    return;
  }
  // A future given twice is watched once (G-02): if so, its last waiter is a
  // watcher of this gather. For futures that are done, a set is used; only for
  // membership, never for its order.
  absl::flat_hash_set<const FutureBase*, absl::Hash<const FutureBase*>,
                      std::equal_to<const FutureBase*>,
                      PoolAllocator<const FutureBase*>>
      seen;
  std::vector<FutureBase*, PoolAllocator<FutureBase*>> done;
  watchers_ = PoolAllocator<Watcher>().allocate(children_.size());
  for (const Ref<FutureBase>& future : children_) {
    if (future->loop() != loop()) {
      for (; watched_ > 0; --watched_) {
        std::destroy_at(&watchers_[watched_ - 1]);  // It waits no longer.
        Release();
      }
      throw ValueError("futures are tied to different event loops");
    }
    if (future->done()) {
      if (!future->IsOnlyReference() && !seen.insert(future.get()).second) {
        continue;
      }
      done.push_back(future.get());
      ++distinct_;
      continue;
    }
    if (!future->waiters().empty() && IsMine(future->waiters().back())) {
      continue;
    }
    std::construct_at(&watchers_[watched_], *this, *future);
    future->AddWaiter(watchers_[watched_]);
    AddRef();  // The watcher's.
    ++watched_;
    ++distinct_;
  }
  for (FutureBase* const future : done) ChildIsDone(*future);
}

bool GatherBase::IsMine(const Runnable& waiter) const {
  const std::less<const Runnable*> before;
  return !before(&waiter, watchers_) && before(&waiter, watchers_ + watched_);
}

GatherBase::~GatherBase() {
  if (watchers_ == nullptr) return;
  std::destroy_n(watchers_, watched_);
  PoolAllocator<Watcher>().deallocate(watchers_, children_.size());
}

void GatherBase::Watcher::Run() {
  const Ref<GatherBase> keep = Ref<GatherBase>::Adopt(&gather_);
  gather_.ChildIsDone(future_);
}

Runnable* GatherBase::Watcher::EventualStep() {
  if (gather_.done()) return nullptr;
  const bool last = gather_.finished_ + 1 == gather_.distinct_;
  const bool fails =
      !gather_.return_exceptions_ &&
      (future_.state() == State::kCancelled || future_.has_exception());
  return last || fails ? gather_.FirstEventualStep() : nullptr;
}

void GatherBase::ChildIsDone(FutureBase& future) {
  SyncJoin(this);
  ++finished_;
  CLOTHO_DCHECK(finished_ <= distinct_ && future.done(),
                "each child of a gather ends once");
  if (done()) {
    if (future.state() != State::kCancelled) future.MarkRetrieved();
    return;
  }
  if (!return_exceptions_) {
    if (future.state() == State::kCancelled) {
      SetException(CancelledErrorOf(future));
      return;
    }
    future.MarkRetrieved();
    if (future.has_exception()) {
      SetException(future.exception());
      return;
    }
  }
  if (finished_ < distinct_) return;
  if (cancel_requested_) {
    for (const Ref<FutureBase>& child : children_) child->MarkRetrieved();
    SetException(CancelledErrorOf(*children_.back()));  // G-07.
  } else {
    Collect();
  }
}

std::exception_ptr GatherBase::ExceptionAt(std::size_t index) {
  FutureBase& future = child(index);
  future.MarkRetrieved();
  if (future.state() == State::kCancelled) {
    // Always with a message, which may be empty (G-04).
    const Text message = future.cancel_message();
    return std::make_exception_ptr(
        CancelledError(message ? std::string(message->view()) : ""));
  }
  return future.exception();
}

bool GatherBase::Cancel(const Text& message) {
  SyncWrite(this);
  if (done()) return false;
  if (in_cancel_) {
    throw RuntimeError(
        "cannot cancel a Gather: it waits, through others, for itself");
  }
  struct Scope {
    bool& in_cancel;
    ~Scope() { in_cancel = false; }
  } scope{in_cancel_};
  in_cancel_ = true;
  bool accepted = false;
  for (const Ref<FutureBase>& child : children_) {
    if (child->Cancel(message)) accepted = true;
  }
  if (accepted) cancel_requested_ = true;
  return accepted;
}

namespace {

class ForgottenGather final : public ValueFuture<void, GatherBase> {
 public:
  explicit ForgottenGather(EventLoop& loop)
      : ValueFuture(loop, /*return_exceptions=*/true) {}

 private:
  void Collect() override {
    for (std::size_t i = 0; i < size(); ++i) child(i).MarkRetrieved();
    SetValue();
  }
};

}  // namespace

Future<void> GatherForgotten(EventLoop& loop, FutureVector futures) {
  Ref<ForgottenGather> gather(new ForgottenGather(loop));
  gather->Adopt(std::move(futures));
  return Future<void>(Ref<FutureBase>(gather.get()));
}

void GatherBase::Explain(WaitInfo& info) const {
  info.what = absl::StrCat("Gather(", children_.size(), ")");
  for (const Ref<FutureBase>& child : children_) {
    if (!child->done()) info.parts.push_back(child.get());
  }
}

}  // namespace clotho::internal
