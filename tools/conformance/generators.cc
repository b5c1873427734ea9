// Asynchronous generators (section 9 of SPEC.md).
//
// A `co_yield` must be in the frame of the generator itself. Statements that
// contain one are therefore executed here, with an explicit stack.

#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "clotho/tools/conformance/machine.h"

namespace clotho::conformance {

// The blocks of a generator that are being executed, innermost last.
class Machine::Blocks {
 public:
  Blocks(Machine& machine, InvocationPtr in, const Block& body)
      : machine_(machine), in_(std::move(in)) {
    Push(Kind::kPlain, nullptr, body);
  }

  // The next statement, or null at the end. Throws an exception that no `try`
  // has caught.
  const Statement* Next() {
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.next < level.block.size()) return &level.block[level.next++];
      FinishLevel();
    }
    return nullptr;
  }

  void EnterIf(const Statement& statement, bool decision) {
    Push(Kind::kPlain, &statement,
         decision ? statement.body : statement.otherwise);
  }
  void EnterRepeat(const Statement& statement, Items items) {
    Push(Kind::kRepeat, &statement, statement.body);
    levels_.back().items = std::move(items);
    levels_.back().next = statement.body.size();  // The first round follows.
  }
  void EnterTry(const Statement& statement) {
    Push(Kind::kBody, &statement, statement.body);
  }

  // Leaves the innermost block by a jump or an exception.
  void Leave(Signal signal, std::exception_ptr error) {
    while (!levels_.empty()) {
      Level level = std::move(levels_.back());
      levels_.pop_back();
      switch (level.kind) {
        case Kind::kPlain:
        case Kind::kFinally:
          continue;
        case Kind::kRepeat:
          if (error != nullptr || signal == Signal::kReturn) continue;
          if (signal == Signal::kContinue) {
            level.next = level.block.size();
            levels_.push_back(std::move(level));
          }
          return;
        case Kind::kClause:
          in_->handled = level.handled_before;
          break;
        case Kind::kBody:
          if (error != nullptr && EnterClause(*level.statement, error)) return;
          break;
        case Kind::kElse:
          break;
      }
      if (EnterFinally(*level.statement, signal, error)) return;
    }
    if (error != nullptr) std::rethrow_exception(error);
  }

 private:
  enum class Kind { kPlain, kRepeat, kBody, kClause, kElse, kFinally };

  struct Level {
    Kind kind = Kind::kPlain;
    const Statement* statement = nullptr;
    std::span<const Statement> block;
    std::size_t next = 0;
    Items items = Items(0);             // kRepeat: the remaining rounds.
    std::exception_ptr handled_before;  // kClause: restored after it.
    Signal signal = Signal::kNone;      // kFinally: continues after it.
    std::exception_ptr error;           // The same.
  };

  Level& Push(Kind kind, const Statement* statement, const Block& block) {
    Level level;
    level.kind = kind;
    level.statement = statement;
    level.block = block;
    return levels_.emplace_back(std::move(level));
  }

  // Ends the innermost block normally.
  void FinishLevel() {
    Level& level = levels_.back();
    if (level.kind == Kind::kRepeat && !level.items.empty()) {
      const Value item = level.items.Next();
      if (level.statement->as.has_value()) {
        machine_.Put(*level.statement->as, item, *in_);
      }
      level.next = 0;
      return;
    }
    const Level finished = std::move(level);
    levels_.pop_back();
    switch (finished.kind) {
      case Kind::kPlain:
      case Kind::kRepeat:
        return;
      case Kind::kBody:
        Push(Kind::kElse, finished.statement, finished.statement->otherwise);
        return;
      case Kind::kClause:
        in_->handled = finished.handled_before;
        break;
      case Kind::kElse:
        break;
      case Kind::kFinally:
        if (finished.error != nullptr || finished.signal != Signal::kNone) {
          Leave(finished.signal, finished.error);
        }
        return;
    }
    EnterFinally(*finished.statement, Signal::kNone, nullptr);
  }

  bool EnterClause(const Statement& statement,
                   const std::exception_ptr& error) {
    const Except* const clause = machine_.FindClause(statement, error, *in_);
    if (clause == nullptr) return false;
    Level& level = Push(Kind::kClause, &statement, clause->body);
    level.handled_before = std::exchange(in_->handled, error);
    return true;
  }

  bool EnterFinally(const Statement& statement, Signal signal,
                    const std::exception_ptr& error) {
    if (!statement.has_finally || machine_.halted_) return false;
    Level& level = Push(Kind::kFinally, &statement, statement.finally);
    level.signal = signal;
    level.error = error;
    return true;
  }

  Machine& machine_;
  const InvocationPtr in_;
  std::vector<Level> levels_;
};

ValueGenerator Machine::RunGenerator(const Definition& definition,
                                     InvocationPtr in) {
  using Op = Statement::Op;
  Blocks blocks(*this, in, definition.body);
  while (const Statement* const statement = blocks.Next()) {
    Signal signal = Signal::kNone;
    std::exception_ptr error;
    try {
      if (!statement->yields) {
        signal = co_await AwaitBlock(std::span(statement, 1), in);
      } else if (Step(); statement->op == Op::kIf) {
        if (const std::optional<bool> decision = Decide(*statement, *in)) {
          blocks.EnterIf(*statement, *decision);
        }
      } else if (statement->op == Op::kRepeat) {
        blocks.EnterRepeat(*statement, ItemsOf(*statement, *in));
      } else if (statement->op == Op::kTry) {
        blocks.EnterTry(*statement);
      } else if (std::optional<Value> value = ToYield(*statement, *in)) {
        std::optional<Value> sent = co_yield *std::move(value);
        const Value result = std::move(sent).value_or(Value());
        if (statement->as.has_value()) Put(*statement->as, result, *in);
        LogValue(*statement, result);
      }
    } catch (...) {
      error = std::current_exception();
      if (statement->op == Op::kYield) LogFailure(*statement, error);
    }
    if (error != nullptr || signal != Signal::kNone) {
      blocks.Leave(signal, error);
    }
  }
}

std::optional<Value> Machine::ToYield(const Statement& statement,
                                      const Invocation& in) {
  try {
    return Evaluate(statement.expression, in);
  } catch (const Unbound&) {
    LogSkip(statement);
    return std::nullopt;
  }
}

}  // namespace clotho::conformance
