#include "clotho/tools/conformance/value.h"

#include <type_traits>
#include <utility>
#include <vector>

namespace clotho::conformance {

bool Value::Truth() const {
  if (is_none()) return false;
  if (const bool* const value = AsBool()) return *value;
  if (const std::int64_t* const value = AsInt()) return *value != 0;
  if (const std::string* const value = AsString()) return !value->empty();
  if (const List* const list = AsList()) return !list->empty();
  return true;
}

Value ToValue(FutureRef::Outcomes outcomes) {
  List list;
  list.reserve(outcomes.size());
  for (Outcome<Value>& outcome : outcomes) {
    list.push_back(outcome.ok() ? outcome.value() : Value(outcome.exception()));
  }
  return Value(std::move(list));
}

FutureRef::FutureRef(const Future<Value>& future)
    : type_(Type::kValue), state_(future.state()) {}
FutureRef::FutureRef(const Future<List>& future)
    : type_(Type::kList), state_(future.state()) {}
FutureRef::FutureRef(const Future<Outcomes>& future)
    : type_(Type::kOutcomes), state_(future.state()) {}
FutureRef::FutureRef(const Future<void>& future)
    : type_(Type::kNothing), state_(future.state()) {}

bool FutureRef::Done() const {
  return Visit([](const auto& future) { return future.Done(); });
}

bool FutureRef::Cancelled() const {
  return Visit([](const auto& future) { return future.Cancelled(); });
}

std::optional<AnyTask> FutureRef::AsTask() const {
  auto* const task = state_->AsTask();
  if (task == nullptr) return std::nullopt;
  return AnyTask(*task);
}

Value FutureRef::Result() const {
  return Visit([](const auto& future) {
    if constexpr (std::is_same_v<decltype(future), const Future<void>&>) {
      future.Result();
      return Value();
    } else {
      return ToValue(future.Result());
    }
  });
}

}  // namespace clotho::conformance
