#include "clotho/runtime/thread_link.h"

#include <memory>
#include <utility>

#include "clotho/runtime/concurrent_future.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/thread_model.h"

namespace clotho::internal {
namespace {

// A reference that any thread may have.
class TieRef {
 public:
  explicit TieRef(Tie& tie) noexcept : tie_(&tie) { tie.AddRef(); }
  TieRef(TieRef&& other) noexcept : tie_(std::exchange(other.tie_, nullptr)) {}
  ~TieRef() {
    if (tie_ != nullptr) tie_->Release();
  }
  Tie* operator->() const { return tie_; }

 private:
  Tie* tie_;
};

}  // namespace

Tie::Tie(RunnableKind kind, EventLoop& loop, FutureBase& future)
    : Runnable(kind), mailbox_(loop.mailbox()), future_(&future) {
  loop.AdoptTie(*this);
}

void Tie::Notify() {
  AddRef();  // Of the mail, or of the ready queue.
  if (running_loop != nullptr && running_loop->mailbox() == mailbox_) {
    Runnable::set_chain(running_loop->current_chain());
    running_loop->Push(*this);
    return;
  }
  if (thread_model != nullptr) Mail::set_chain(thread_model->chain());
  if (!mailbox_->Post(*this)) Release();
}

void Tie::Cut() noexcept {
  if (!future_) return;
  TieNode::Unlink();
  const Ref<FutureBase> future = std::move(future_);
  Release();
}

void Tie::Deliver(EventLoop& loop) {
  Runnable::set_chain(Mail::chain());
  loop.Push(*this);
}

void Tie::Run() {
  struct Releaser {
    Tie* tie;
    ~Releaser() { tie->Release(); }
  } releaser{this};
  if (future_) Act(*future_);
}

void NotifyWhenDone(ConcurrentState& future, Tie& tie) {
  future.AddDoneCallback([ref = TieRef(tie)] { ref->Notify(); });
}

Relay::Relay(Tie& tie) : Runnable(RunnableKind::kInternal), tie_(tie) {
  tie_.AddRef();
  FutureBase& future = *tie_.future();
  if (future.done()) {  // An eager task.
    future.LiveLoop().Push(*this);
  } else {
    future.AddWaiter(*this);
  }
}

Relay::~Relay() {
  tie_.Cut();
  tie_.Release();
}

void Relay::Run() {
  const std::unique_ptr<Relay, Deleter> self(this);
  Ref<FutureBase> future = tie_.future();
  tie_.Cut();
  if (future) Pass(std::move(future));
}

void Relay::Drop() noexcept {
  GiveUp();
  delete this;
}

void CancelRelay::Pass(Ref<FutureBase> future) {
  if (future->state() == FutureBase::State::kCancelled) to_->Cancel();
}

}  // namespace clotho::internal
