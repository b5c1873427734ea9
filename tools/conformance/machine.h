// Machine: runs one program of the conformance language on the runtime, and
// writes its trace.
//
// It uses the runtime like any program. Where the language has its own form
// (`with`, `timeout`, `as_completed`), it uses the runtime's counterpart
// directly, so that the comparison with CPython tests the runtime and not this
// file.

#ifndef CLOTHO_TOOLS_CONFORMANCE_MACHINE_H_
#define CLOTHO_TOOLS_CONFORMANCE_MACHINE_H_

#include <cstdint>
#include <exception>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/instrument.h"
#include "clotho/runtime/task.h"
#include "clotho/sim/engine/virtual_clock.h"
#include "clotho/tools/conformance/objects.h"
#include "clotho/tools/conformance/program.h"
#include "clotho/tools/conformance/value.h"

namespace clotho::conformance {

// Thrown when something without a value is evaluated: the statement is skipped.
struct Unbound {};

// The step limit was reached. Propagates out of the loop at once.
class Halt final : public CriticalException {
 public:
  const char* what() const noexcept override { return "Halt"; }
};

// One invocation of a definition.
struct Invocation {
  std::map<std::string, Value, std::less<>> locals;
  // The exception handled by the innermost `except` clause.
  std::exception_ptr handled;
  Value result;
};
using InvocationPtr = std::shared_ptr<Invocation>;

// How a block ended.
enum class Signal { kNone, kReturn, kBreak, kContinue };

// `via_task`.
class ViaTask {
 public:
  explicit ViaTask(Coro<Value> coro) : coro_(std::move(coro)) {}
  Task<Value> Await() { return CreateTask(std::move(coro_)); }

 private:
  Coro<Value> coro_;
};

// What `repeat` and `for` iterate over: a number of rounds, or a list.
class Items {
 public:
  explicit Items(std::int64_t rounds) : rounds_(rounds) {}
  explicit Items(List list)
      : list_(std::move(list)),
        rounds_(static_cast<std::int64_t>(list_->size())) {}

  bool empty() const { return next_ >= rounds_; }
  Value Next() {
    const std::int64_t index = next_++;
    return list_.has_value() ? (*list_)[static_cast<std::size_t>(index)]
                             : Value(index);
  }

 private:
  std::optional<List> list_;
  std::int64_t next_ = 0;
  std::int64_t rounds_;
};

// Active while an `except` clause is executed.
class Handling {
 public:
  Handling(Invocation& in, std::exception_ptr exception)
      : in_(in), before_(std::exchange(in.handled, std::move(exception))) {}
  ~Handling() { in_.handled = before_; }
  Handling(const Handling&) = delete;
  Handling& operator=(const Handling&) = delete;

 private:
  Invocation& in_;
  std::exception_ptr before_;
};

// The result of evaluating an awaitable form.
using Built = std::variant<FutureRef, Coro<Value>, ViaTask>;

class Machine : private internal::Instrument {
 public:
  Machine(const Program& program, bool shows_iterations);
  ~Machine() override;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Runs the program and returns its trace, as lines with line ends.
  std::string Run();

 private:
  using Args = std::span<const Value>;

  // ---- machine.cc: running, tracing, variables. ----

  void Execute();
  void CancelRemainingTasks();
  void WriteFinalStates();
  std::string FinalState(const FutureRef& future);
  static FutureRef RefOf(const AnyTask& task);
  void TaskCreated(const internal::TaskBase& task) override;
  void HandleException(const ExceptionContext& context);

  void Line(std::string_view text);
  void LogValue(const Statement& statement, const Value& value);
  void LogFailure(const Statement& statement,
                  const std::exception_ptr& exception);
  void LogSkip(const Statement& statement);
  std::string Show(const Value& value) const;
  // Counts a step. Throws Halt above the limit.
  void Step();

  InvocationPtr NewInvocation(const Definition& definition, Args args);
  const Value& Get(std::string_view name, const Invocation& in) const;
  void Put(const std::string& name, Value value, Invocation& in);
  // The object in a variable. Throws Unbound if there is no object, or one of
  // another kind.
  Value GetAny(std::string_view name, const Invocation& in) const;
  template <typename T>
  T& GetObject(std::string_view name, const Invocation& in) const;
  FutureRef GetFuture(std::string_view name, const Invocation& in) const;
  std::optional<Context> GetContext(const Statement& statement,
                                    const Invocation& in) const;
  template <typename T, typename... Arguments>
  Value NewObject(Arguments&&... arguments);
  void NameFuture(const FutureRef& future, const std::string& name);
  const Definition& Find(const std::string& name) const;

  // ---- expressions.cc ----

  Value Evaluate(const Expression& expression, const Invocation& in) const;
  std::int64_t EvaluateInt(const Expression& expression,
                           const Invocation& in) const;
  // A timeout: an integer or null.
  std::optional<Delay> EvaluateDelay(const Expression& expression,
                                     const Invocation& in) const;
  std::vector<Value> EvaluateAll(const std::vector<Expression>& expressions,
                                 const Invocation& in) const;
  Value AllTasksValue() const;

  // ---- methods.cc ----

  // nullopt if there is no such query.
  static std::optional<Value> Query(const Value& value,
                                    std::string_view method);
  Value Call(const Value& value, std::string_view method, Args args);
  Value CallFuture(const FutureRef& future, std::string_view method, Args args);
  Value CallObject(Object& object, std::string_view method, Args args);

  // ---- awaitables.cc ----

  Built Build(const AwaitableForm& form, const InvocationPtr& in);
  std::vector<Built> BuildAll(const std::vector<AwaitableForm>& forms,
                              const InvocationPtr& in);
  Coro<Value> BuildCoroutine(const AwaitableForm& form,
                             const InvocationPtr& in);
  // Creates tasks for those that are not futures.
  static std::vector<FutureRef> EnsureRefs(std::vector<Built> built);
  FutureRef BuildFuture(const AwaitableForm& form, const InvocationPtr& in);
  Coro<Value> RunFunction(const Definition& definition, InvocationPtr in);

  // ---- statements.cc ----

  // Statements that neither wait nor contain statements.
  void Leaf(const Statement& statement, const InvocationPtr& in);
  Value DoLeaf(const Statement& statement, const InvocationPtr& in);
  Value New(const Statement& statement, const InvocationPtr& in);
  Value Spawn(const Statement& statement, const InvocationPtr& in);
  Value AddCallback(const Statement& statement, const Invocation& in);
  Value RemoveCallback(const Statement& statement, const Invocation& in);
  Value Schedule(const Statement& statement, const Invocation& in);
  // `return`, `break` and `continue`. kNone if the statement is skipped.
  Signal Jump(const Statement& statement, Invocation& in);
  // The truth value of a statement's condition. nullopt if it is skipped.
  std::optional<bool> Decide(const Statement& statement, const Invocation& in);
  Items ItemsOf(const Statement& statement, const Invocation& in);
  // The `except` clause that catches an exception, or null.
  const Except* FindClause(const Statement& statement,
                           const std::exception_ptr& exception, Invocation& in);

  // In callbacks.
  void RunCallback(const Definition& definition, Args args);
  Signal RunBlock(const Block& block, const InvocationPtr& in);
  Signal RunLoop(const Statement& statement, const InvocationPtr& in);
  Signal RunTry(const Statement& statement, const InvocationPtr& in);

  // In coroutines.
  Coro<Signal> AwaitBlock(std::span<const Statement> block, InvocationPtr in);
  Coro<Signal> AwaitStatement(const Statement& statement, InvocationPtr in);
  Coro<Signal> AwaitAwait(const Statement& statement, InvocationPtr in);
  Coro<Signal> AwaitLoop(const Statement& statement, InvocationPtr in);
  Coro<Signal> AwaitTry(const Statement& statement, InvocationPtr in);
  // `with`, `timeout` and `taskgroup`.
  Coro<Signal> AwaitWithin(const Statement& statement, InvocationPtr in);
  Coro<Signal> AwaitWith(const Statement& statement, InvocationPtr in);
  template <typename T>
  Coro<Signal> AwaitHolding(T& lock, const Statement& statement,
                            InvocationPtr in);
  Coro<Signal> AwaitTimeout(const Statement& statement, InvocationPtr in);
  Coro<Signal> AwaitTaskGroup(const Statement& statement, InvocationPtr in);
  // Their bodies, once they have been entered.
  Coro<Signal> AwaitEntered(const Statement& statement, Value entered,
                            InvocationPtr in);
  // `afor` and `as_completed`.
  Coro<Signal> AwaitIteration(const Statement& statement, InvocationPtr in);
  Coro<Signal> IterateGenerator(const Statement& statement, InvocationPtr in);
  Coro<Signal> IterateFutures(const Statement& statement,
                              std::vector<FutureRef> futures,
                              std::optional<Delay> timeout, InvocationPtr in);
  Coro<Signal> AwaitRound(const Statement& statement, Value value,
                          InvocationPtr in);

  // ---- generators.cc ----

  class Blocks;
  // The value that a `yield` yields. nullopt if it is skipped.
  std::optional<Value> ToYield(const Statement& statement,
                               const Invocation& in);
  ValueGenerator RunGenerator(const Definition& definition, InvocationPtr in);

  const Program& program_;
  const bool shows_iterations_;
  std::string trace_;
  bool halted_ = false;
  std::int64_t steps_ = 0;

  // Everything the program can refer to is kept until the end.
  std::vector<InvocationPtr> invocations_;
  std::map<std::string, Value, std::less<>> variables_;
  std::vector<std::shared_ptr<Object>> objects_;
  // In the order of creation.
  std::vector<AnyTask> tasks_;
  // The number of tasks whose final states are shown: without those created at
  // the end to close generators.
  std::size_t tasks_shown_ = std::numeric_limits<std::size_t>::max();
  std::vector<std::pair<FutureRef, std::string>> named_futures_;
  std::map<const void*, std::string> future_names_;
  std::set<const void*> plain_futures_;  // Created by `new`.
  // The callbacks of each definition at each future.
  std::map<std::pair<const void*, std::string>, std::vector<std::uint64_t>>
      callbacks_;

  sim::VirtualClock clock_;
  EventLoop loop_;
};

template <typename T>
T& Machine::GetObject(std::string_view name, const Invocation& in) const {
  Object* const object = Get(name, in).AsObject();
  if (object == nullptr || object->kind() != T::kKind) throw Unbound();
  return static_cast<T&>(*object);
}

template <typename T, typename... Arguments>
Value Machine::NewObject(Arguments&&... arguments) {
  auto object = std::make_shared<T>(std::forward<Arguments>(arguments)...);
  objects_.push_back(object);
  return Value(std::shared_ptr<Object>(std::move(object)));
}

}  // namespace clotho::conformance

#endif  // CLOTHO_TOOLS_CONFORMANCE_MACHINE_H_
