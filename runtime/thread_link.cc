#include "clotho/runtime/thread_link.h"

#include <memory>
#include <utility>

#include "clotho/runtime/concurrent_future.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/thread_model.h"

namespace clotho::internal {
namespace {

// A reference that any thread may hold.
class TieRef {
 public:
  explicit TieRef(ThreadLink& thread_link) noexcept
      : thread_link_(&thread_link) {
    thread_link.AddRef();
  }
  TieRef(TieRef&& other) noexcept
      : thread_link_(std::exchange(other.thread_link_, nullptr)) {}
  ~TieRef() {
    if (thread_link_ != nullptr) thread_link_->Release();
  }
  ThreadLink* operator->() const { return thread_link_; }

 private:
  ThreadLink* thread_link_;
};

}  // namespace

ThreadLink::ThreadLink(RunnableKind kind, EventLoop& loop, FutureBase& future)
    : Runnable(kind), mailbox_(CoreOf(loop).mailbox()), future_(&future) {
  CoreOf(loop).AdoptThreadLink(*this);
}

void ThreadLink::Notify() {
  AddRef();  // For the mail, or for the ready queue.
  if (running_loop != nullptr && CoreOf(*running_loop).mailbox() == mailbox_) {
    Runnable::set_chain(CoreOf(*running_loop).current_chain());
    CoreOf(*running_loop).Push(*this);
    return;
  }
  if (thread_model != nullptr) Mail::set_chain(thread_model->chain());
  if (!mailbox_->Post(*this)) Release();
}

void ThreadLink::Cut() noexcept {
  if (!future_) return;
  ThreadLinkNode::Unlink();
  const Ref<FutureBase> future = std::move(future_);
  Release();
}

void ThreadLink::Deliver(EventLoop& loop) {
  Runnable::set_chain(Mail::chain());
  CoreOf(loop).Push(*this);
}

void ThreadLink::Run() {
  struct Releaser {
    ThreadLink* thread_link;
    ~Releaser() { thread_link->Release(); }
  } releaser{this};
  if (future_) Act(*future_);
}

void NotifyWhenDone(ConcurrentState& future, ThreadLink& thread_link) {
  future.AddDoneCallback([ref = TieRef(thread_link)] { ref->Notify(); });
}

Relay::Relay(ThreadLink& thread_link)
    : Runnable(RunnableKind::kInternal), thread_link_(thread_link) {
  thread_link_.AddRef();
  FutureBase& future = *thread_link_.future();
  if (future.done()) {  // An eager task.
    CoreOf(future.LiveLoop()).Push(*this);
  } else {
    future.AddWaiter(*this);
  }
}

Relay::~Relay() {
  thread_link_.Cut();
  thread_link_.Release();
}

void Relay::Run() {
  const std::unique_ptr<Relay, Deleter> self(this);
  Ref<FutureBase> future = thread_link_.future();
  thread_link_.Cut();
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
