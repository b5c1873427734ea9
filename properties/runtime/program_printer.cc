// ToCpp: prints random programs as C++ that looks hand-written.

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clotho/properties/runtime/programs.h"

namespace clotho::properties {

using Op = Statement::Op;

namespace {

// "Worker3".
std::string FunctionName(int number) {
  return number == 0 ? "Main" : absl::StrCat("Worker", number);
}

std::string DelayText(int ms) {
  return ms == 0 ? "absl::ZeroDuration()"
                 : absl::StrCat("absl::Milliseconds(", ms, ")");
}

const char* ReturnWhenName(int count) {
  switch (count) {
    case 1:
      return "ReturnWhen::kFirstCompleted";
    case 2:
      return "ReturnWhen::kFirstException";
    default:
      return "ReturnWhen::kAllCompleted";
  }
}

const char* CaughtClass(Statement::Catches catches) {
  switch (catches) {
    case Statement::Catches::kCancelled:
      return "const CancelledError&";
    case Statement::Catches::kErrors:
      return "const std::exception&";
    case Statement::Catches::kAll:
      break;
  }
  return "...";
}

class Printer {
 public:
  explicit Printer(const ToCppOptions& options) : options_(options) {}

  std::string Print(const Program& program) {
    PrintBody(0, program.main);
    // The printed bodies determine what the struct needs.
    std::string bodies = std::exchange(out_, "");
    indent_ = 0;
    Line("struct ", options_.name, " {");
    ++indent_;
    PrintMembers();
    PrintHelpers();
    indent_ = 0;
    return absl::StrCat(out_, bodies, "};\n");
  }

 private:
  void EmptyLine() { out_ += "\n"; }
  template <typename... T>
  void Line(const T&... parts) {
    absl::StrAppend(&out_, std::string(2 * indent_, ' '), parts..., "\n");
  }
  // Prints a note, in programs with notes.
  template <typename... T>
  void NoteLine(const T&... arguments) {
    if (options_.notes) Line("Note(", arguments..., ");");
  }

  // The name of an object, which becomes a member of the struct.
  std::string Object(const char* kind, int which) {
    objects_.insert({kind, which});
    return ObjectName(kind, which);
  }
  std::string FutureName(int which) { return Object("future", which); }

  void PrintMembers() {
    for (const auto& [kind, which] : objects_) {
      const std::string name = ObjectName(kind, which);
      if (kind == "future") {
        Line("Future<int> ", name, ";");
      } else if (kind == "lock") {
        Line("Lock ", name, "{\"", name, "\"};");
      } else if (kind == "event") {
        Line("Event ", name, "{\"", name, "\"};");
      } else if (kind == "condition") {
        Line("Condition ", name, "{\"", name, "\"};");
      } else if (kind == "semaphore") {
        Line("Semaphore ", name, "{", kPermits[which], ", \"", name, "\"};");
      } else if (kind == "barrier") {
        Line("Barrier ", name, "{", kParties[which], ", \"", name, "\"};");
      } else {
        Line("Queue<int> ", name, "{", kQueueSizes[which], ", \"", name,
             "\"};");
      }
    }
    for (const int task : tasks_) {
      Line("std::optional<Task<int>> ", TaskName(task), ";");
    }
    Line("std::vector<Task<int>> tasks;  // All of them.");
    EmptyLine();
  }

  void PrintHelpers() {
    Line("Task<int> Start(std::optional<Task<int>>& place,");
    Line("                std::string_view name, Coro<int> coro) {");
    Line("  place = CreateTask(std::move(coro), {.name = name});");
    Line("  tasks.push_back(*place);");
    Line("  return *place;");
    Line("}");
    if (has_groups_) {
      Line("void StartIn(TaskGroup& group, std::optional<Task<int>>& place,");
      Line("             std::string_view name, Coro<int> coro) {");
      Line("  place = group.CreateTask(std::move(coro), {.name = name});");
      Line("  tasks.push_back(*place);");
      Line("}");
    }
    EmptyLine();
    Line("Coro<void> Run() {");
    ++indent_;
    Line("Start(main, \"main\", Main());");
    Line("// Each with any outcome.");
    Line("for (std::size_t i = 0; i < tasks.size(); ++i) {");
    Line("  const std::vector<Task<int>> next = {tasks[i]};");
    Line("  co_await Wait(next);");
    Line(
        "  if (!next[0].Cancelled()) "
        "static_cast<void>(next[0].GetException());");
    if (options_.notes) Line("  Note(next[0]);");
    Line("}");
    for (const auto& [kind, which] : objects_) {
      if (kind != "future") continue;
      const std::string name = ObjectName(kind, which);
      Line("if (", name, ".Done() && !", name, ".Cancelled()) {");
      Line("  static_cast<void>(", name, ".GetException());");
      Line("}");
    }
    --indent_;
    Line("}");
  }

  // A member function; those of its inner bodies follow.
  void PrintBody(int number, const Block& block) {
    std::string before = std::exchange(out_, "");
    const std::size_t indent = std::exchange(indent_, std::size_t{1});
    EmptyLine();
    Line("Coro<int> ", FunctionName(number), "() {");
    ++indent_;
    std::vector<std::pair<int, const Block*>> inner;
    std::swap(inner, inner_);
    PrintBlock(block);
    Line("co_return ", number, ";");
    --indent_;
    Line("}");
    std::swap(inner, inner_);
    for (const auto& [inner_number, inner_block] : inner) {
      PrintBody(inner_number, *inner_block);
    }
    out_ = absl::StrCat(before, out_);
    indent_ = indent;
  }

  void PrintBlock(const Block& block) {
    for (const Statement& statement : block) PrintStatement(statement);
  }

  // "Worker3()", whose definition is printed later.
  std::string Call(const Operand& operand) {
    inner_.push_back({operand.which, &operand.body});
    return absl::StrCat(FunctionName(operand.which), "()");
  }
  // "worker_3, \"worker_3\", Worker3()".
  std::string TaskArguments(const Operand& operand) {
    tasks_.insert(operand.which);
    const std::string name = TaskName(operand.which);
    return absl::StrCat(name, ", \"", name, "\", ", Call(operand));
  }
  std::string StartTask(const Operand& operand) {
    return absl::StrCat("Start(", TaskArguments(operand), ")");
  }

  // The argument of Shield, or an element of a list of futures.
  std::string FutureText(const Operand& operand) {
    switch (operand.kind) {
      case Operand::Kind::kBody:
        return StartTask(operand);
      case Operand::Kind::kFuture:
        return FutureName(operand.which);
      case Operand::Kind::kTask:
        break;
    }
    return absl::StrCat("*", TaskName(operand.which));
  }
  // The argument of WaitFor.
  std::string InnerText(const Operand& operand) {
    return operand.kind == Operand::Kind::kBody ? Call(operand)
                                                : FutureText(operand);
  }

  // Awaits something whose value the note needs; only if the task it names was
  // created.
  void PrintAwait(const Statement& statement, const std::string& awaitable,
                  int task = -1) {
    const int number = statement.number;
    if (task >= 0) {
      tasks_.insert(task);
      Line("if (", TaskName(task), ".has_value()) {");
      ++indent_;
    }
    if (options_.notes) {
      Line("const auto value_", number, " = co_await ", awaitable, ";");
      NoteLine(number, ", value_", number);
    } else {
      Line("co_await ", awaitable, ";");
    }
    if (task >= 0) {
      --indent_;
      Line("}");
    }
  }
  static int TaskOf(const Operand& operand) {
    return operand.kind == Operand::Kind::kTask ? operand.which : -1;
  }

  // The futures of the operands, as a variable.
  std::string PrintFutures(const Statement& statement) {
    const std::string name = absl::StrCat("all_", statement.number);
    const std::string begin =
        absl::StrCat("std::vector<Future<int>> ", name, " = {");
    std::vector<std::string> futures;
    for (const Operand& operand : statement.operands) {
      futures.push_back(FutureText(operand));
    }
    const std::string list = absl::StrJoin(futures, ", ");
    if (2 * indent_ + begin.size() + list.size() + 2 <= 80) {
      Line(begin, list, "};");
      return name;
    }
    Line(begin);
    indent_ += 2;
    for (std::size_t i = 0; i < futures.size(); ++i) {
      Line(futures[i], i + 1 < futures.size() ? "," : "};");
    }
    indent_ -= 2;
    return name;
  }

  void PrintGuard(const Statement& statement, const std::string& object) {
    Line("auto guard_", statement.number, " = co_await ", object,
         ".Acquire();");
  }

  void PrintCatch(const Statement& statement) {
    const int number = statement.number;
    const bool rethrows = statement.rethrows;
    const bool has_handler = rethrows || !statement.handler.empty();
    const std::string variable =
        absl::StrCat(rethrows ? "error_" : "caught_", number);
    if (rethrows) {
      Line("std::exception_ptr ", variable, ";");
    } else if (has_handler) {
      Line("bool ", variable, " = false;");
    }
    Line("try {");
    ++indent_;
    PrintBlock(statement.body);
    --indent_;
    Line("} catch (", CaughtClass(statement.catches), ") {");
    ++indent_;
    if (rethrows) {
      Line(variable, " = std::current_exception();");
    } else if (has_handler) {
      Line(variable, " = true;");
    }
    if (statement.uncancels) Line("CurrentTask()->Uncancel();");
    NoteLine(number, ", std::current_exception()");
    --indent_;
    Line("}");
    if (!has_handler) return;
    Line("if (", variable, rethrows ? " != nullptr" : "", ") {");
    ++indent_;
    PrintBlock(statement.handler);
    if (rethrows) Line("std::rethrow_exception(", variable, ");");
    --indent_;
    Line("}");
  }

  void PrintGroup(const Statement& statement) {
    has_groups_ = true;
    const int number = statement.number;
    Line("TaskGroup group_", number, ";");
    Line("auto body_", number, " = group_", number,
         ".Run([&]() -> Coro<void> {");
    ++indent_;
    for (const Operand& operand : statement.operands) {
      Line("StartIn(group_", number, ", ", TaskArguments(operand), ");");
    }
    PrintBlock(statement.body);
    Line("co_return;");
    --indent_;
    Line("});");
    Line("co_await std::move(body_", number, ");");
  }

  void PrintGather(const Statement& statement) {
    const std::string all = PrintFutures(statement);
    PrintAwait(
        statement,
        absl::StrCat("Gather(", statement.flag ? "kReturnExceptions, " : "",
                     all, ")"));
  }

  void PrintWait(const Statement& statement) {
    const std::string all = PrintFutures(statement);
    const std::string timeout =
        absl::StrCat(".timeout = ", DelayText(statement.ms));
    const std::string return_when =
        absl::StrCat(".return_when = ", ReturnWhenName(statement.count));
    std::string options;
    if (statement.ms >= 0 && statement.count != 0) {
      const std::string name = absl::StrCat("options_", statement.number);
      Line("const WaitOptions ", name, " = {");
      Line("    ", timeout, ",");
      Line("    ", return_when, "};");
      options = absl::StrCat(", ", name);
    } else if (statement.ms >= 0) {
      options = absl::StrCat(", {", timeout, "}");
    } else if (statement.count != 0) {
      options = absl::StrCat(", {", return_when, "}");
    }
    PrintAwait(statement, absl::StrCat("Wait(", all, options, ")"));
  }

  void PrintAsCompleted(const Statement& statement) {
    const int number = statement.number;
    const std::string all = PrintFutures(statement);
    std::string options;
    if (statement.ms >= 0) {
      options = absl::StrCat(", {.timeout = ", DelayText(statement.ms), "}");
    }
    if (options_.notes) Line("std::vector<int> values_", number, ";");
    Line("for (auto next_", number, " : AsCompleted(", all, options, ")) {");
    ++indent_;
    if (options_.notes) {
      Line("const int value_", number, " = co_await std::move(next_", number,
           ");");
      Line("values_", number, ".push_back(value_", number, ");");
    } else {
      Line("co_await std::move(next_", number, ");");
    }
    --indent_;
    Line("}");
    NoteLine(number, ", values_", number);
  }

  void PrintStatement(const Statement& statement) {
    const int number = statement.number;
    const int which = statement.which;
    switch (statement.op) {
      case Op::kSleep:
        Line("co_await Sleep(", DelayText(statement.ms), ");");
        break;
      case Op::kRaise:
        Line("throw std::runtime_error(\"error ", number, "\");");
        return;
      case Op::kCancel: {
        tasks_.insert(which);
        const std::string task = TaskName(which);
        Line("if (", task, ".has_value()) ",
             options_.notes ? absl::StrCat("Note(", number, ", ") : "", task,
             "->Cancel()", options_.notes ? ")" : "", ";");
        return;
      }
      case Op::kSpawn:
        Line(StartTask(statement.operands[0]), ";");
        break;
      case Op::kAwaitTask:
        PrintAwait(statement, absl::StrCat("*", TaskName(which)), which);
        return;
      case Op::kAwaitFuture:
        PrintAwait(statement, FutureName(which));
        return;
      case Op::kResolveFuture:
        Line("if (!", FutureName(which), ".Done()) ", FutureName(which),
             ".SetResult(", number, ");");
        break;
      case Op::kFailFuture: {
        const std::string future = FutureName(which);
        Line("if (!", future, ".Done()) {");
        Line("  ", future, ".SetException(std::runtime_error(\"error ", number,
             "\"));");
        Line("}");
        break;
      }
      case Op::kCancelFuture:
        Line(FutureName(which), ".Cancel();");
        break;
      case Op::kLock:
      case Op::kPermit:
        Line("{");
        ++indent_;
        PrintGuard(
            statement,
            Object(statement.op == Op::kLock ? "lock" : "semaphore", which));
        PrintBlock(statement.body);
        --indent_;
        Line("}");
        break;
      case Op::kSetEvent:
        Line(Object("event", which), ".Set();");
        break;
      case Op::kClearEvent:
        Line(Object("event", which), ".Clear();");
        break;
      case Op::kAwaitEvent:
        Line("co_await ", Object("event", which), ".Wait();");
        break;
      case Op::kAwaitCondition:
      case Op::kNotify: {
        const std::string condition = Object("condition", which);
        Line("{");
        ++indent_;
        PrintGuard(statement, condition);
        if (statement.op == Op::kAwaitCondition) {
          Line("co_await ", condition, ".Wait();");
        } else if (statement.count == 0) {
          Line(condition, ".NotifyAll();");
        } else if (statement.count == 1) {
          Line(condition, ".Notify();");
        } else {
          Line(condition, ".Notify(", statement.count, ");");
        }
        --indent_;
        Line("}");
        break;
      }
      case Op::kBarrier:
        PrintAwait(statement,
                   absl::StrCat(Object("barrier", which), ".Wait()"));
        return;
      case Op::kResetBarrier:
        Line("co_await ", Object("barrier", which), ".Reset();");
        break;
      case Op::kAbortBarrier:
        Line("co_await ", Object("barrier", which), ".Abort();");
        break;
      case Op::kPut:
        Line("co_await ", Object("queue", which), ".Put(", number, ");");
        break;
      case Op::kGet: {
        const std::string queue = Object("queue", which);
        PrintAwait(statement, absl::StrCat(queue, ".Get()"));
        Line(queue, ".TaskDone();");
        return;
      }
      case Op::kJoin:
        Line("co_await ", Object("queue", which), ".Join();");
        break;
      case Op::kShutdown:
        Line(Object("queue", which), ".Shutdown(",
             statement.flag ? "/*immediate=*/true" : "", ");");
        break;
      case Op::kSet:
        Line("setting.Set(", number, ");");
        NoteLine(number, ", setting.Get()");
        return;
      case Op::kOnDone: {
        tasks_.insert(which);
        const std::string task = TaskName(which);
        Line("if (", task, ".has_value()) {");
        ++indent_;
        if (options_.notes) {
          Line(task, "->AddDoneCallback([] { Note(\"", number, "\"); });");
        } else {
          Line(task, "->AddDoneCallback([](const Future<int>&) {});");
        }
        NoteLine(number, ", ", which);
        --indent_;
        Line("}");
        return;
      }
      case Op::kWaitFor: {
        const Operand& operand = statement.operands[0];
        PrintAwait(statement,
                   absl::StrCat("WaitFor(", InnerText(operand), ", ",
                                DelayText(statement.ms), ")"),
                   TaskOf(operand));
        return;
      }
      case Op::kTimeout: {
        const Operand& operand = statement.operands[0];
        PrintAwait(statement,
                   absl::StrCat("Timeout(", DelayText(statement.ms), ", ",
                                InnerText(operand), ")"),
                   TaskOf(operand));
        return;
      }
      case Op::kShield: {
        const Operand& operand = statement.operands[0];
        PrintAwait(statement, absl::StrCat("Shield(", FutureText(operand), ")"),
                   TaskOf(operand));
        return;
      }
      case Op::kGather:
        PrintGather(statement);
        return;
      case Op::kWait:
        PrintWait(statement);
        return;
      case Op::kAsCompleted:
        PrintAsCompleted(statement);
        return;
      case Op::kGroup:
        PrintGroup(statement);
        break;
      case Op::kCatch:
        PrintCatch(statement);
        break;
    }
    NoteLine(number);
  }

  const ToCppOptions options_;
  std::string out_;
  std::size_t indent_ = 0;
  // The objects mentioned so far.
  std::set<std::pair<std::string, int>> objects_;
  std::set<int> tasks_ = {0};
  bool has_groups_ = false;
  // Bodies to print after the current one.
  std::vector<std::pair<int, const Block*>> inner_;
};

}  // namespace

std::string ToCpp(const Program& program, const ToCppOptions& options) {
  return Printer(options).Print(program);
}

std::string CppPrologue(const ToCppOptions& options) {
  return absl::StrCat(
      "#include <cstddef>\n"
      "#include <exception>\n"
      "#include <optional>\n"
      "#include <stdexcept>\n"
      "#include <string_view>\n"
      "#include <utility>\n"
      "#include <vector>\n"
      "\n"
      "#include \"absl/time/time.h\"\n",
      options.notes ? "#include \"clotho/properties/runtime/program_notes.h\"\n"
                    : "",
      "#include \"clotho/runtime/runtime.h\"\n"
      "\n"
      "using namespace clotho;  // NOLINT: for brevity.\n",
      options.notes ? "using clotho::properties::Note;\n" : "",
      "\n"
      "const ContextVar<int> setting{\"setting\", 0};\n");
}

}  // namespace clotho::properties
