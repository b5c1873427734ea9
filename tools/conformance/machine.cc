#include "clotho/tools/conformance/machine.h"

#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/task.h"
#include "clotho/tools/conformance/errors.h"

namespace clotho::conformance {
Machine::Machine(const Program& program, bool shows_iterations)
    : program_(program),
      shows_iterations_(shows_iterations),
      loop_({.clock = &clock_}) {
  CoreOf(loop_).set_instrument(this);
  loop_.SetExceptionHandler(
      [this](EventLoop&, const ExceptionContext& context) {
        HandleException(context);
      });
}

Machine::~Machine() {
  halted_ = true;
  loop_.Close();
  // The program's objects may refer to each other. They are destroyed before
  // the loop, so that reports about them reach HandleException.
  variables_.clear();
  for (const InvocationPtr& invocation : invocations_) *invocation = {};
  invocations_.clear();
  objects_.clear();
  named_futures_.clear();
  tasks_.clear();
}

// ---- Running: section 10. ----

std::string Machine::Run() {
  try {
    Execute();
    Line("end");
  } catch (const DeadlockError&) {
    std::string text = "deadlock";
    for (const AnyTask& task : tasks_) {
      if (!task.Done()) absl::StrAppend(&text, " ", task.GetName());
    }
    Line(text);
  } catch (const Halt&) {
  }
  if (!halted_) WriteFinalStates();
  halted_ = true;
  return std::move(trace_);
}

void Machine::Execute() {
  const Definition& main = Find(program_.main);
  Coro<Value> coro = RunFunction(main, NewInvocation(main, {}));
  std::string outcome;
  try {
    outcome = absl::StrCat("= ", Show(loop_.RunUntilComplete(std::move(coro))));
  } catch (const DeadlockError&) {
    throw;
  } catch (const Halt&) {
    throw;
  } catch (...) {
    outcome = absl::StrCat("! ", ShowException(std::current_exception()));
  }
  Line(absl::StrCat("main ", outcome));
  CancelRemainingTasks();
  tasks_shown_ = tasks_.size();
  loop_.RunUntilComplete(loop_.ShutdownAsyncgens());
}

void Machine::CancelRemainingTasks() {
  std::vector<FutureRef> left;
  for (const AnyTask& task : tasks_) {
    if (!task.Done()) left.push_back(RefOf(task));
  }
  if (left.empty()) return;
  for (const FutureRef& task : left) {
    task.AsTask()->Cancel();
  }
  loop_.RunUntilComplete(Gather(kReturnExceptions, left));
  for (const FutureRef& task : left) {
    if (task.Cancelled()) continue;
    if (const std::exception_ptr exception = task.AsTask()->GetException()) {
      Line(absl::StrCat("exc-handler shutdown ", Show(Value(task)), " ",
                        ShowException(exception)));
    }
  }
}

void Machine::WriteFinalStates() {
  std::size_t left = tasks_shown_;
  for (const AnyTask& task : tasks_) {
    if (left-- == 0) break;
    absl::StrAppend(&trace_, "task ", task.GetName(), " ",
                    FinalState(RefOf(task)), "\n");
  }
  for (const auto& [future, name] : named_futures_) {
    absl::StrAppend(&trace_, "fut ", name, " ", FinalState(future), "\n");
  }
}

std::string Machine::FinalState(const FutureRef& future) {
  if (!future.Done()) return "pending";
  if (future.Cancelled()) return "cancelled";
  const bool is_unretrieved = future.state()->unretrieved();
  const std::exception_ptr exception =
      future.Visit([](const auto& f) { return f.GetException(); });
  if (exception == nullptr) {
    return absl::StrCat("result ", Show(future.Result()));
  }
  return absl::StrCat("exception ", ShowException(exception),
                      is_unretrieved ? " unretrieved" : "");
}

FutureRef Machine::RefOf(const AnyTask& task) {
  // The program's own tasks all have values; some created by the loop have
  // none.
  const Future<Value> future(task.state());
  if (dynamic_cast<internal::TaskState<Value>*>(&task.base()) != nullptr) {
    return future;
  }
  return Future<void>(task.state());
}

void Machine::TaskCreated(const internal::TaskBase& task) {
  // The task is still being created: its result type is not known yet.
  tasks_.emplace_back(const_cast<internal::TaskBase&>(task));
}

void Machine::HandleException(const ExceptionContext& context) {
  std::string what;
  switch (context.source) {
    case ExceptionContext::Source::kCallback:
      what = "callback";
      break;
    case ExceptionContext::Source::kTaskGroup:
      what = absl::StrCat("taskgroup <", context.task->name(), ">");
      break;
    case ExceptionContext::Source::kAsyncGenerator:
      what = "asyncgen";
      break;
    default:
      return;  // It depends on when objects are destroyed.
  }
  Line(absl::StrCat("exc-handler ", what, " ",
                    ShowException(context.exception)));
}

// ---- The trace: section 11. ----

void Machine::Line(std::string_view text) {
  if (halted_) return;
  absl::StrAppend(&trace_, clock_.NowNs());
  if (shows_iterations_)
    absl::StrAppend(&trace_, "/", CoreOf(loop_).iterations());
  const internal::TaskBase* const task = CoreOf(loop_).current_task();
  absl::StrAppend(&trace_, " ", task == nullptr ? "-" : task->name(), " ",
                  std::string(text), "\n");
}

void Machine::LogValue(const Statement& statement, const Value& value) {
  if (!statement.label.has_value()) return;
  Line(absl::StrCat(*statement.label, " ", statement.what, " = ", Show(value)));
}

void Machine::LogFailure(const Statement& statement,
                         const std::exception_ptr& exception) {
  if (!statement.label.has_value() || halted_) return;
  Line(absl::StrCat(*statement.label, " ", statement.what, " ! ",
                    ShowException(exception)));
}

void Machine::LogSkip(const Statement& statement) {
  if (!statement.label.has_value()) return;
  Line(absl::StrCat(*statement.label, " ", statement.what, " skip"));
}

std::string Machine::Show(const Value& value) const {
  if (value.is_none()) return "None";
  if (const bool* const boolean = value.AsBool()) {
    return *boolean ? "True" : "False";
  }
  if (const std::int64_t* const integer = value.AsInt()) {
    return absl::StrCat(*integer);
  }
  if (const std::string* const text = value.AsString()) {
    return absl::StrCat("'", *text, "'");
  }
  if (const List* const list = value.AsList()) {
    std::string text = "[";
    for (const Value& element : *list) {
      absl::StrAppend(&text, text.size() > 1 ? "," : "", Show(element));
    }
    return absl::StrCat(text, "]");
  }
  if (const std::exception_ptr* const exception = value.AsException()) {
    return ShowException(*exception);
  }
  if (const FutureRef* const future = value.AsFuture()) {
    if (const std::optional<AnyTask> task = future->AsTask()) {
      return absl::StrCat("<", task->GetName(), ">");
    }
    const auto name = future_names_.find(future->state().get());
    if (name == future_names_.end()) return "<future>";
    return absl::StrCat("<fut:", name->second, ">");
  }
  return "<object>";
}

void Machine::Step() {
  if (++steps_ <= program_.steps_max) return;
  Line("step-limit");
  halted_ = true;
  throw Halt();
}

// ---- Variables: section 4. ----

InvocationPtr Machine::NewInvocation(const Definition& definition, Args args) {
  auto in = std::make_shared<Invocation>();
  for (std::size_t i = 0; i < definition.params.size(); ++i) {
    in->locals[definition.params[i]] = i < args.size() ? args[i] : Value();
  }
  invocations_.push_back(in);
  return in;
}

const Value& Machine::Get(std::string_view name, const Invocation& in) const {
  if (const auto local = in.locals.find(name); local != in.locals.end()) {
    return local->second;
  }
  const auto global = variables_.find(name);
  if (global == variables_.end()) throw Unbound();
  return global->second;
}

void Machine::Put(const std::string& name, Value value, Invocation& in) {
  if (name[0] == '_' || in.locals.contains(name)) {
    in.locals[name] = std::move(value);
  } else {
    variables_[name] = std::move(value);
  }
}

Value Machine::GetAny(std::string_view name, const Invocation& in) const {
  if (name != "@self") return Get(name, in);
  internal::TaskBase* const task = CoreOf(loop_).current_task();
  if (task == nullptr) throw Unbound();
  return Value(RefOf(AnyTask(*task)));
}

FutureRef Machine::GetFuture(std::string_view name,
                             const Invocation& in) const {
  const Value value = GetAny(name, in);
  if (value.AsFuture() == nullptr) throw Unbound();
  return *value.AsFuture();
}

std::optional<Context> Machine::GetContext(const Statement& statement,
                                           const Invocation& in) const {
  if (!statement.context.has_value()) return std::nullopt;
  return GetObject<ContextObject>(*statement.context, in).object;
}

void Machine::NameFuture(const FutureRef& future, const std::string& name) {
  if (future_names_.emplace(future.state().get(), name).second) {
    named_futures_.emplace_back(future, name);
  }
}

const Definition& Machine::Find(const std::string& name) const {
  return program_.definitions.at(name);
}

}  // namespace clotho::conformance
