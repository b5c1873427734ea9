// expected: error: use of undeclared identifier 'nothing'
// The functions of the standard library and Abseil may return a Coro.
#include <functional>
#include <ranges>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "clotho/runtime/runtime.h"

clotho::Coro<int> Length(std::string text) {
  co_return static_cast<int>(text.size());
}

clotho::Coro<void> Main() {
  const std::function<clotho::Coro<int>(std::string)> function = Length;
  absl::AnyInvocable<clotho::Coro<int>(std::string)> invocable = Length;
  co_await function("a");
  co_await invocable("a");
  co_await std::invoke(Length, "a");
  co_await std::apply(Length, std::tuple("a"));
  const std::vector<std::string> texts = {"a"};
  for (auto&& coro : texts | std::views::transform(Length)) {
    co_await std::move(coro);
  }
  const auto lambda = []() CLOTHO_CORO_WRAPPER { return Length("a"); };
  co_await lambda();
#ifndef CLOTHO_GOOD
  nothing();
#endif
}
