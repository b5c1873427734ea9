// Program: a random asynchronous program, as a value.
//
//   RC_GTEST_PROP(RuntimeTest, KeepsItsPromises, (const Program& program)) {
//     const ProgramVerdict verdict =
//         CheckProgram(program, sim::MakeSearch(sim::Fuzz()));
//     RC_LOG() << verdict.wrong;
//     RC_ASSERT(verdict.wrong.empty());
//   }
//
// A program is a tree: bodies of tasks contain statements, which contain
// further bodies. It uses asyncio's features: tasks, futures, Gather, Wait,
// WaitFor, Timeout, Shield, AsCompleted, TaskGroup, locks, semaphores, events,
// conditions, barriers, queues, sleeps, cancellations, exceptions, a context
// variable and done callbacks. There are only two of each primitive, so that
// tasks share them.
//
// Every statement runs at most once, so a program ends after a bounded number
// of steps. It ends in a deadlock if a task waits for something that never
// comes; that is a valid end. Tasks await only tasks with a higher number, and
// so never each other in a cycle.
//
//   RandomProgram(random, 20)  creates one of about 20 statements; rapidcheck
//                              generates programs like any argument, and
//                              shrinks a failing one to fewer statements, tasks
//                              and objects, and to shorter delays
//   RunProgram(program)        runs it (program_runner.h)
//   CheckProgram(program, ...) checks asyncio's general promises while it runs
//                              (program_checks.h)
//   ToCpp(program)             prints it as equivalent C++ on the runtime

#ifndef CLOTHO_PROPERTIES_RUNTIME_PROGRAMS_H_
#define CLOTHO_PROPERTIES_RUNTIME_PROGRAMS_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "rapidcheck.h"

namespace clotho::properties {

struct Statement;
using Block = std::vector<Statement>;

// An operand of a combinator.
struct Operand {
  enum class Kind {
    kBody,    // A coroutine: `body`. Most combinators make it a task.
    kTask,    // An existing task; ignored if it was not created.
    kFuture,  // One of the two futures.
  };

  Kind kind = Kind::kBody;
  // The number of the body, of the task's body, or of the future.
  int which = 0;
  Block body;

  bool operator==(const Operand& other) const;
};

struct Statement {
  enum class Op {
    kSleep,          // For `ms`; 0: yields.
    kRaise,          // std::runtime_error.
    kCancel,         // The task `which`, if it was created.
    kSpawn,          // Creates a task from the operand.
    kAwaitTask,      // The task `which`, if it was created.
    kAwaitFuture,    // The future `which`.
    kResolveFuture,  // With the statement's number, unless it is done.
    kFailFuture,     // With std::runtime_error, unless it is done.
    kCancelFuture,
    kLock,    // `body` with the lock `which` taken.
    kPermit,  // `body` with a permit of the semaphore `which`.
    kSetEvent,
    kClearEvent,
    kAwaitEvent,
    kAwaitCondition,  // Takes its lock, waits once.
    kNotify,          // Takes its lock, wakes `count`; 0: all.
    kBarrier,
    kResetBarrier,
    kAbortBarrier,
    kPut,  // The statement's number.
    kGet,  // Also calls TaskDone.
    kJoin,
    kShutdown,     // `flag`: immediately.
    kSet,          // The context variable, to the statement's number.
    kOnDone,       // A done callback of the task `which`, if it was created.
    kWaitFor,      // The operand, for `ms`. A body runs in the same task.
    kTimeout,      // The same, by Timeout.
    kShield,       // The operand.
    kGather,       // The operands; `flag`: kReturnExceptions.
    kWait,         // For the operands; `count` is a ReturnWhen.
    kAsCompleted,  // The operands, one after another.
    kGroup,        // A TaskGroup of the operands around `body`.
    kCatch,        // `body`; `handler` if it throws what `catches` says.
  };
  static constexpr int kOps = static_cast<int>(Op::kCatch) + 1;

  enum class Catches {
    kCancelled,  // CancelledError.
    kErrors,     // std::exception.
    kAll,
  };

  Op op = Op::kSleep;
  // Unique among the statements of a program. Shrinking keeps it.
  int number = 0;
  // A task's number, or one of the two objects.
  int which = 0;
  // Milliseconds; for kWait and kAsCompleted the timeout, none if negative.
  int ms = 0;
  int count = 0;
  bool flag = false;
  Catches catches = Catches::kCancelled;
  bool rethrows = false;   // For kCatch: after the handler.
  bool uncancels = false;  // For kCatch: calls Uncancel.
  std::vector<Operand> operands = {};
  Block body = {};
  Block handler = {};

  bool operator==(const Statement& other) const;
};

// There are two objects of each kind, with these sizes.
inline constexpr int kObjects = 2;
inline constexpr int kPermits[kObjects] = {1, 2};
inline constexpr int kParties[kObjects] = {2, 3};
inline constexpr int kQueueSizes[kObjects] = {1, 0};  // 0: any number.

struct Program {
  // The body of the first task, "main", whose number is 0.
  Block main;

  bool operator==(const Program& other) const;
};

// The number of statements.
std::size_t Size(const Program& program);

// The names that reports and printed programs use: "main", "worker_3".
std::string TaskName(int number);
// "lock_a" for "lock" and 0.
std::string ObjectName(const std::string& kind, int which);

// A program of about `statements` statements, drawn from `random`.
Program RandomProgram(rc::Random random, int statements);

// Slightly smaller programs: a statement is left out or replaced by its
// contents; an operand is left out; a delay is shorter.
std::vector<Program> SmallerPrograms(const Program& program);

struct ToCppOptions {
  // The name of the struct.
  std::string name = "Program";
  // Reports events through `Note` (program_notes.h).
  bool notes = false;
};

// The program as C++ on the runtime: a struct whose `Run()` is to be awaited.
// It takes the same steps as `RunProgram(program)`. The file must start with
// CppPrologue().
std::string ToCpp(const Program& program, const ToCppOptions& options = {});

// The includes and using-declarations for a file of printed programs.
std::string CppPrologue(const ToCppOptions& options = {});

// As C++.
std::ostream& operator<<(std::ostream& out, const Program& program);

}  // namespace clotho::properties

namespace rc {

template <>
struct Arbitrary<clotho::properties::Program> {
  static Gen<clotho::properties::Program> arbitrary();
};

}  // namespace rc

#endif  // CLOTHO_PROPERTIES_RUNTIME_PROGRAMS_H_
