// Context variables: values that follow a task instead of a thread.
//
//   const ContextVar<std::string> request_id("request_id");
//
//   request_id.Set("42");       // Seen by this task, and by what it starts
//   from request_id.Get();           // now on; not by who started it.
//
// A task and a callback run in a copy of the context in which they were created
// (rules CX-01, CX-02); what they set stays in it. Copying is O(1).

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

// One variable's value on its way to another thread.
class DetachedBinding {
 public:
  virtual ~DetachedBinding() = default;
  // The same value in front of a list of the thread that calls this. Once.
  virtual Ref<Binding> Attach(Ref<Binding> next) = 0;
};

// One variable's value in a persistent list: the newest setting comes first.
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

// What a Context refers to: the variables' values, which may be set.
struct ContextData : Pooled {
  explicit ContextData(Ref<Binding> first) : bindings(std::move(first)) {}
  void AddRef() noexcept { ++references; }
  void Release() noexcept {
    if (--references == 0) delete this;
  }

  std::uint32_t references = 0;
  Ref<Binding> bindings;
};

// A context that is made when something is first set in it: null is empty.
using ContextSlot = Ref<ContextData>;

// A copy of a context on its way to another thread. References are counted
// without atomics, and memory comes from the thread's pool: so the values are
// copied where they are, and put into a list anew where they arrive.
class DetachedContext {
 public:
  explicit DetachedContext(const ContextSlot& context);
  // In the other thread, once.
  ContextSlot Attach();

 private:
  std::vector<std::unique_ptr<DetachedBinding>> bindings_;  // Newest first.
};

class ContextScope;

// The context in which this thread runs now: that of the innermost scope, or
// the thread's own.
ContextSlot& ThreadContext();
inline thread_local constinit ContextScope* current_scope = nullptr;

// Runs in `slot` for the length of a scope.
class ContextScope {
 public:
  explicit ContextScope(ContextSlot& slot)
      : slot_(slot), outer_(std::exchange(current_scope, this)) {}
  ~ContextScope() { current_scope = outer_; }
  ContextScope(const ContextScope&) = delete;

  ContextSlot& slot() const { return slot_; }

  // Whether this thread is in a scope of this context.
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

// A copy of the current context, for something that will run later.
inline ContextSlot CopyCurrentContext() {
  const ContextSlot& current = CurrentContextSlot();
  if (!current || !current->bindings) return nullptr;
  return ContextSlot(new ContextData(current->bindings));
}

const Binding* FindBinding(const Binding* first, const void* variable);

// `bindings` without the one of `variable`.
Ref<Binding> WithoutBinding(const Ref<Binding>& bindings, const void* variable);

ContextSlot SlotOf(const Context& context);

}  // namespace internal

// A set of values of context variables. Copying the object refers to the same
// context; `CopyContext` makes another.
class Context {
 public:
  // An empty context.
  Context() : data_(new internal::ContextData(nullptr)) {}

  // Calls `function` in this context: what it sets is set here. Throws
  // RuntimeError if it runs in this context already (CX-05).
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

// A copy of the current context: what is set in one is not seen in the other.
Context CopyContext();

namespace internal {
inline ContextSlot SlotOf(const Context& context) { return context.data_; }
}  // namespace internal

// A variable. Its identity is the object: it must outlive its use, and is
// normally global.
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

  // Sets it in the current context.
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

  // Puts back what `Set` replaced. Throws RuntimeError if the token was used,
  // ValueError if it is of another variable or another context.
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
