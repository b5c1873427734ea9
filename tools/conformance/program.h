// The programs of the conformance language, as defined in SPEC.md, parsed from
// JSON.

#ifndef CLOTHO_TOOLS_CONFORMANCE_PROGRAM_H_
#define CLOTHO_TOOLS_CONFORMANCE_PROGRAM_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clotho/tools/conformance/value.h"

namespace clotho::conformance {

// Section 5.
struct Expression {
  enum class Op {
    kLiteral,
    kVar,
    kAdd,
    kSub,
    kMul,
    kMod,
    kLt,
    kLe,
    kEq,
    kNe,
    kNot,
    kAnd,
    kOr,
    kList,
    kIdx,
    kLen,
    kTime,
    kMe,
    kAllTasks,
    kExc,
    kQuery,
  };

  Op op = Op::kLiteral;
  Value literal;                     // kLiteral.
  std::string name;                  // kVar, kQuery: the variable. kExc: class.
  std::string method;                // kQuery.
  std::optional<std::string> text;   // kExc: the argument.
  std::vector<Expression> operands;  // All others.
};

// Section 6.
struct AwaitableForm {
  enum class Op {
    kVar,
    kGather,
    kShield,
    kCall,
    kSleep,
    kWaitFor,
    kWait,
    kAcquire,
    kEventWait,
    kConditionWait,
    kConditionWaitFor,
    kBarrierWait,
    kBarrierReset,
    kBarrierAbort,
    kGet,
    kPut,
    kJoin,
    kAnext,
    kAsend,
    kAthrow,
    kAclose,
    kViaTask,
  };
  enum class Mode { kAllCompleted, kFirstCompleted, kFirstException };

  bool is_future() const {
    return op == Op::kVar || op == Op::kGather || op == Op::kShield;
  }
  bool is_coroutine() const { return !is_future() && op != Op::kViaTask; }

  Op op = Op::kVar;
  std::string word;  // As the program has it.
  std::string name;  // The variable, or kCall: the definition.
  bool return_exceptions = false;
  Mode mode = Mode::kAllCompleted;
  std::vector<AwaitableForm> awaitables;
  std::vector<Expression> operands;
};

struct Statement;
using Block = std::vector<Statement>;

// A clause of `try`.
struct Except {
  std::vector<std::string> match;
  std::optional<std::string> as;
  Block body;
};

// Sections 7 to 9. Members that a statement does not use are empty.
struct Statement {
  enum class Op {
    kLog,
    kSet,
    kAwait,
    kSpawn,
    kLet,
    kNew,
    kDo,
    kAddCallback,
    kRemoveCallback,
    kCallSoon,
    kCallLater,
    kCallAt,
    kBlock,
    kRaise,
    kReraise,
    kReturn,
    kBreak,
    kContinue,
    kIf,
    kWhile,
    kRepeat,
    kFor,
    kTry,
    kWith,
    kTimeout,
    kTaskGroup,
    kAsyncFor,
    kAsCompleted,
    kYield,
  };

  Op op = Op::kLog;
  std::string what;  // As it is logged: "set", "do.cancel", "await.sleep".
  std::optional<std::string> label;
  std::optional<std::string> as;
  std::optional<std::string> name;     // For a task or a future.
  std::optional<std::string> context;  // A variable.
  std::optional<std::string> group;    // A variable.
  std::string object;                  // A variable.
  std::string method;
  std::string definition;  // For a callback or a generator.
  std::string type;        // `new`: of which type.
  std::optional<std::string> lock;
  std::optional<Value> number;  // `new`: the value of "n".
  // The statement's only expression: "e", "d", "at", "cond", "n" or "in".
  Expression expression;
  Expression timeout;            // `as_completed`.
  bool absolute = false;         // `timeout`: "at".
  bool plain = false;            // `as_completed`.
  bool catch_errors = false;     // `as_completed`.
  bool has_finally = false;      // Even if empty.
  bool yields = false;           // It contains a `yield`.
  std::vector<Expression> args;  // Or the values of `log`.
  std::vector<AwaitableForm> awaitables;
  Block body;  // Or "then".
  Block otherwise;
  Block finally;
  std::vector<Except> excepts;
};

struct Definition {
  enum class Kind { kCoroutine, kCallback, kGenerator };

  Kind kind = Kind::kCoroutine;
  std::string name;
  std::vector<std::string> params;
  Block body;
};

struct Program {
  std::string id;
  std::string main = "main";
  std::int64_t steps_max = 20000;
  std::map<std::string, Definition, std::less<>> definitions;
};

// Parses a program. Throws a std::exception with an explanation on errors.
Program ParseProgram(std::string_view json);

}  // namespace clotho::conformance

#endif  // CLOTHO_TOOLS_CONFORMANCE_PROGRAM_H_
