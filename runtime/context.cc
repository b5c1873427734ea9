#include "clotho/runtime/context.h"

#include <utility>

namespace clotho {
namespace internal {

ContextSlot& ThreadContext() {
  static thread_local constinit ContextSlot context;
  return context;
}

void Binding::Release() noexcept {
  if (--references_ == 0) delete this;
}

const Binding* FindBinding(const Binding* first, const void* variable) {
  for (; first != nullptr; first = first->next().get()) {
    if (first->variable() == variable) return first;
  }
  return nullptr;
}

Ref<Binding> WithoutBinding(const Ref<Binding>& bindings,
                            const void* variable) {
  if (FindBinding(bindings.get(), variable) == nullptr) return bindings;
  if (bindings->variable() == variable) return bindings->next();
  return bindings->InFrontOf(WithoutBinding(bindings->next(), variable));
}

DetachedContext::DetachedContext(const ContextSlot& context) {
  if (!context) return;
  for (const Binding* binding = context->bindings.get(); binding != nullptr;
       binding = binding->next().get()) {
    bindings_.push_back(binding->Detach());
  }
}

ContextSlot DetachedContext::Attach() {
  if (bindings_.empty()) return nullptr;
  Ref<Binding> first;
  for (auto it = bindings_.rbegin(); it != bindings_.rend(); ++it) {
    first = (*it)->Attach(std::move(first));
  }
  bindings_.clear();
  return ContextSlot(new ContextData(std::move(first)));
}

}  // namespace internal

Context CopyContext() {
  const internal::ContextSlot& current = internal::CurrentContextSlot();
  return Context(internal::ContextSlot(new internal::ContextData(
      current ? current->bindings : internal::Ref<internal::Binding>())));
}

}  // namespace clotho
