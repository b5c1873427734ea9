// Context variables: values that follow a task instead of a thread.
//
//   const ContextVar<std::string> request_id("request_id");
//
//   request_id.Set("42");  // Visible to this task and to what it starts later,
//                          // but not to the task that started it.
//   request_id.Get();      // "42"
//
// A task or callback runs in a copy of the context in which it was created
// (rules CX-01, CX-02); what it sets stays in that copy. Copying is O(1).

#ifndef CLOTHO_RUNTIME_CONTEXT_H_
#define CLOTHO_RUNTIME_CONTEXT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/ref.h"

namespace clotho {

class Context;

namespace internal {

class Binding;

// A variable's value on its way to another thread.
class DetachedBinding {
 public:
  virtual ~DetachedBinding() = default;
  // Puts the value in front of a list that belongs to the calling thread. Call
  // once.
  virtual Ref<Binding> Attach(Ref<Binding> next) = 0;
};

// A variable's value in a persistent list, newest setting first.
class Binding : public Pooled {
 public:
  Binding(const void* variable, Ref<Binding> next)
      : variable_(variable), next_(std::move(next)) {}

  void AddRef() noexcept { ++references_; }
  void Release() noexcept;

  const void* variable() const { return variable_; }
  const Ref<Binding>& next() const { return next_; }

  // The same value in front of another list.
  virtual Ref<Binding> InFrontOf(Ref<Binding> next) const = 0;
  // A copy of the value, for another thread.
  virtual std::unique_ptr<DetachedBinding> Detach() const = 0;

 protected:
  virtual ~Binding() = default;

 private:
  std::uint32_t references_ = 0;
  const void* variable_;
  Ref<Binding> next_;
};

template <typename T>
class TypedBinding final : public Binding {
 public:
  TypedBinding(const void* variable, Ref<Binding> next, T value)
      : Binding(variable, std::move(next)), value_(std::move(value)) {}
  const T& value() const { return value_; }
  Ref<Binding> InFrontOf(Ref<Binding> next) const override {
    return Ref<Binding>(new TypedBinding(variable(), std::move(next), value_));
  }
  std::unique_ptr<DetachedBinding> Detach() const override {
    return std::make_unique<Detached>(variable(), value_);
  }

 private:
  class Detached final : public DetachedBinding {
   public:
    Detached(const void* variable, const T& value)
        : variable_(variable), value_(value) {}
    Ref<Binding> Attach(Ref<Binding> next) override {
      return Ref<Binding>(
          new TypedBinding(variable_, std::move(next), std::move(value_)));
    }

   private:
    const void* variable_;
    T value_;
  };

  T value_;
};

// The data behind a Context: the variables' values.
struct ContextData : Pooled {
  explicit ContextData(Ref<Binding> first) : bindings(std::move(first)) {}
  void AddRef() noexcept { ++references; }
  void Release() noexcept {
    if (--references == 0) delete this;
  }

  std::uint32_t references = 0;
  Ref<Binding> bindings;
};

// A context that is created at the first `Set`. Null: an empty context.
using ContextSlot = Ref<ContextData>;

// A copy of a context on its way to another thread. References are counted
// without atomics and memory comes from a per-thread pool. The values are
// therefore copied in the source thread and put into a new list in the target
// thread.
class DetachedContext {
 public:
  explicit DetachedContext(const ContextSlot& context);
  // Call once, in the other thread.
  ContextSlot Attach();

 private:
  std::vector<std::unique_ptr<DetachedBinding>> bindings_;  // Newest first.
};

class ContextScope;

// The context in which this thread runs: that of the innermost scope, or else
// the thread's own.
ContextSlot& ThreadContext();
inline thread_local constinit ContextScope* current_scope = nullptr;

// Runs in `slot` for the duration of a scope.
class ContextScope {
 public:
  explicit ContextScope(ContextSlot& slot)
      : slot_(slot), outer_(std::exchange(current_scope, this)) {}
  ~ContextScope() { current_scope = outer_; }
  ContextScope(const ContextScope&) = delete;

  ContextSlot& slot() const { return slot_; }

  // True if this thread is in a scope of `context`.
  static bool IsEntered(const ContextSlot& context) {
    for (const ContextScope* scope = current_scope; scope != nullptr;
         scope = scope->outer_) {
      if (scope->slot_ == context) return true;
    }
    return false;
  }

 private:
  ContextSlot& slot_;
  ContextScope* outer_;
};

inline ContextSlot& CurrentContextSlot() {
  return current_scope == nullptr ? ThreadContext() : current_scope->slot();
}

// A copy of the current context, for something that runs later.
inline ContextSlot CopyCurrentContext() {
  const ContextSlot& current = CurrentContextSlot();
  if (!current || !current->bindings) return nullptr;
  return ContextSlot(new ContextData(current->bindings));
}

const Binding* FindBinding(const Binding* first, const void* variable);

// `bindings` without the binding of `variable`.
Ref<Binding> WithoutBinding(const Ref<Binding>& bindings, const void* variable);

ContextSlot SlotOf(const Context& context);

}  // namespace internal

// A set of context variable values. Copying a Context object refers to the same
// context; `CopyContext` creates a new one.
class Context {
 public:
  // An empty context.
  Context() : data_(new internal::ContextData(nullptr)) {}

  // Calls `function` in this context; what it sets is set here. Throws
  // RuntimeError if this context is already entered (CX-05).
  template <typename Function>
  decltype(auto) Run(Function&& function) {
    if (internal::ContextScope::IsEntered(data_)) {
      throw RuntimeError(
          "cannot enter a context that is entered already: run in a copy");
    }
    internal::ContextSlot slot = data_;
    internal::ContextScope scope(slot);
    return std::forward<Function>(function)();
  }

  bool operator==(const Context&) const = default;

 private:
  friend Context CopyContext();
  friend internal::ContextSlot internal::SlotOf(const Context& context);
  explicit Context(internal::ContextSlot data) : data_(std::move(data)) {}

  internal::ContextSlot data_;
};

// A copy of the current context. Changes in one are not visible in the other.
Context CopyContext();

namespace internal {
inline ContextSlot SlotOf(const Context& context) { return context.data_; }
}  // namespace internal

// A variable, identified by the address of the object. It must outlive all
// uses, and is normally global.
template <typename T>
class ContextVar {
 public:
  // Undoes one `Set`, in the context in which it was made.
  class Token {
   private:
    friend class ContextVar;
    internal::Ref<internal::ContextData> where_;
    internal::Ref<internal::Binding> before_;
    const ContextVar* variable_ = nullptr;
    bool used_ = false;
  };

  explicit ContextVar(std::string name,
                      std::optional<T> default_value = std::nullopt)
      : name_(std::move(name)), default_(std::move(default_value)) {}
  ContextVar(const ContextVar&) = delete;
  ContextVar& operator=(const ContextVar&) = delete;

  const std::string& name() const { return name_; }

  // The value in the current context, or the default. Throws LookupError if
  // there is neither.
  T Get() const {
    const internal::ContextSlot& slot = internal::CurrentContextSlot();
    if (const T* value = slot ? Find(slot->bindings.get()) : nullptr) {
      return *value;
    }
    if (default_.has_value()) return *default_;
    throw LookupError("context variable \"" + name_ + "\" is not set");
  }

  // Sets the value in the current context.
  Token Set(T value) const {
    internal::ContextSlot& slot = internal::CurrentContextSlot();
    if (!slot) {
      slot = internal::ContextSlot(new internal::ContextData(nullptr));
    }
    Token token;
    token.where_ = slot;
    token.before_ = slot->bindings;
    token.variable_ = this;
    slot->bindings =
        internal::Ref<internal::Binding>(new internal::TypedBinding<T>(
            this, internal::WithoutBinding(slot->bindings, this),
            std::move(value)));
    return token;
  }

  // Restores the value that `Set` replaced. Throws RuntimeError if the token
  // was already used, ValueError if it belongs to another variable or context.
  void Reset(Token& token) const {
    if (token.used_) throw RuntimeError("the token has already been used once");
    if (token.variable_ != this) {
      throw ValueError("the token was made by another variable");
    }
    internal::ContextSlot& slot = internal::CurrentContextSlot();
    if (slot != token.where_) {
      throw ValueError("the token was made in another context");
    }
    token.used_ = true;
    const T* const before = Find(token.before_.get());
    internal::Ref<internal::Binding> rest =
        internal::WithoutBinding(slot->bindings, this);
    if (before == nullptr) {
      slot->bindings = std::move(rest);
    } else {
      slot->bindings = internal::Ref<internal::Binding>(
          new internal::TypedBinding<T>(this, std::move(rest), *before));
    }
  }

 private:
  const T* Find(const internal::Binding* first) const {
    const internal::Binding* const binding = internal::FindBinding(first, this);
    return binding == nullptr
               ? nullptr
               : &static_cast<const internal::TypedBinding<T>*>(binding)
                      ->value();
  }

  std::string name_;
  std::optional<T> default_;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_CONTEXT_H_
