#include "clotho/runtime/shield.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/internal/sync.h"

namespace clotho::internal {

ShieldBase::ShieldBase(FutureBase& inner)
    : FutureBase(inner.LiveLoop(), Storage::kCounted), inner_(&inner) {
  SyncUnknown("Shield");
  // Each relay keeps the outer future alive until it has run. (A pending outer
  // future thus holds itself; its end, or that of the loop, releases it.)
  AddRef();
  AddRef();
  inner.AddWaiter(from_inner_);
  AddWaiter(from_outer_);
}

void ShieldBase::Relay::Run() {
  const Ref<FutureBase> keep = Ref<FutureBase>::Adopt(&outer_);
  if (from_inner_) {
    outer_.InnerIsDone();
  } else {
    outer_.OuterIsDone();
  }
}

Runnable* ShieldBase::Relay::EventualStep() {
  return from_inner_ && !outer_.done() ? outer_.FirstEventualStep() : nullptr;
}

void ShieldBase::InnerIsDone() {
  if (done()) {
    // No one will see a failure: SH-02.
    if (inner_->state() != State::kCancelled) inner_->MarkRetrieved();
    return;
  }
  if (inner_->state() == State::kCancelled) {
    Cancel(nullptr);
  } else if (inner_->has_exception()) {
    inner_->MarkRetrieved();
    SetException(inner_->exception());
  } else {
    CopyValue(*inner_);
  }
}

void ShieldBase::OuterIsDone() {
  // A later failure of the inner future must still be reported: SH-03.
  if (!inner_->done() && from_inner_.is_linked()) {
    from_inner_.Unlink();
    Release();
  }
}

void ShieldBase::Explain(WaitInfo& info) const {
  inner_->Explain(info);
  info.what = absl::StrCat("Shield(", info.what, ")");
  info.parts.assign(1, inner_.get());
}

}  // namespace clotho::internal
