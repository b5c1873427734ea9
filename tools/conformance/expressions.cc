#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clotho/tools/conformance/errors.h"
#include "clotho/tools/conformance/machine.h"

namespace clotho::conformance {
namespace {

// For 64-bit integers, with wraparound.
std::int64_t Calculate(Expression::Op op, std::int64_t a, std::int64_t b) {
  const auto x = static_cast<std::uint64_t>(a);
  const auto y = static_cast<std::uint64_t>(b);
  switch (op) {
    case Expression::Op::kAdd:
      return static_cast<std::int64_t>(x + y);
    case Expression::Op::kSub:
      return static_cast<std::int64_t>(x - y);
    case Expression::Op::kMul:
      return static_cast<std::int64_t>(x * y);
    default:  // kMod.
      if (b <= 0) throw Unbound();
      return (a % b + b) % b;
  }
}

}  // namespace

Value Machine::Evaluate(const Expression& expression,
                        const Invocation& in) const {
  using Op = Expression::Op;
  const std::vector<Expression>& operands = expression.operands;
  switch (expression.op) {
    case Op::kLiteral:
      return expression.literal;
    case Op::kVar:
      return GetAny(expression.name, in);
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kMod: {
      const std::int64_t a = EvaluateInt(operands[0], in);
      const std::int64_t b = EvaluateInt(operands[1], in);
      return Value(Calculate(expression.op, a, b));
    }
    case Op::kLt:
    case Op::kLe: {
      const std::int64_t a = EvaluateInt(operands[0], in);
      const std::int64_t b = EvaluateInt(operands[1], in);
      return Value(expression.op == Op::kLt ? a < b : a <= b);
    }
    case Op::kEq:
    case Op::kNe: {
      const Value a = Evaluate(operands[0], in);
      const Value b = Evaluate(operands[1], in);
      return Value(a.IsSame(b) == (expression.op == Op::kEq));
    }
    case Op::kNot:
      return Value(!Evaluate(operands[0], in).Truth());
    case Op::kAnd:
      return Value(std::ranges::all_of(operands, [&](const Expression& x) {
        return Evaluate(x, in).Truth();
      }));
    case Op::kOr:
      return Value(std::ranges::any_of(operands, [&](const Expression& x) {
        return Evaluate(x, in).Truth();
      }));
    case Op::kList:
      return Value(List(EvaluateAll(operands, in)));
    case Op::kIdx: {
      const Value list = Evaluate(operands[0], in);
      const std::int64_t index = EvaluateInt(operands[1], in);
      if (list.AsList() == nullptr || index < 0 ||
          index >= static_cast<std::int64_t>(list.AsList()->size())) {
        throw Unbound();
      }
      return (*list.AsList())[static_cast<std::size_t>(index)];
    }
    case Op::kLen: {
      const Value list = Evaluate(operands[0], in);
      if (list.AsList() == nullptr) throw Unbound();
      return Value(static_cast<std::int64_t>(list.AsList()->size()));
    }
    case Op::kTime:
      return Value(absl::ToInt64Nanoseconds(loop_.Time()));
    case Op::kMe: {
      const std::optional<AnyTask> task = CurrentTask();
      return task.has_value() ? Value(task->GetName()) : Value();
    }
    case Op::kAllTasks:
      return AllTasksValue();
    case Op::kExc:
      return Value(MakeException(expression.name, expression.text));
    case Op::kQuery: {
      std::optional<Value> value =
          Query(GetAny(expression.name, in), expression.method);
      if (!value.has_value()) throw Unbound();
      return *std::move(value);
    }
  }
  throw Unbound();
}

std::int64_t Machine::EvaluateInt(const Expression& expression,
                                  const Invocation& in) const {
  const Value value = Evaluate(expression, in);
  if (value.AsInt() == nullptr) throw Unbound();
  return *value.AsInt();
}

std::optional<Delay> Machine::EvaluateDelay(const Expression& expression,
                                            const Invocation& in) const {
  const Value value = Evaluate(expression, in);
  if (value.is_none()) return std::nullopt;
  if (value.AsInt() == nullptr) throw Unbound();
  return Delay::Nanoseconds(*value.AsInt());
}

std::vector<Value> Machine::EvaluateAll(
    const std::vector<Expression>& expressions, const Invocation& in) const {
  std::vector<Value> values;
  values.reserve(expressions.size());
  for (const Expression& expression : expressions) {
    values.push_back(Evaluate(expression, in));
  }
  return values;
}

Value Machine::AllTasksValue() const {
  List list;
  for (const AnyTask& task : AllTasks()) {
    list.push_back(Value(RefOf(task)));
  }
  return Value(std::move(list));
}

}  // namespace clotho::conformance
