// CLOTHO_PROPERTY: claims that hold for every input, in every schedule.
//
//   CLOTHO_PROPERTY(ChannelTest, LosesNothing,
//                   (const std::vector<int>& items, std::uint8_t capacity),
//                   sim::Fuzz{.schedules = 20}) {
//     Channel<int> channel(1 + capacity % 4);
//     std::vector<int> got;
//     Task<void> consumer = CreateTask(Drain(channel, got));
//     for (const int item : items) co_await channel.Send(item);
//     channel.Close();
//     co_await consumer;
//     EXPECT_EQ(got, items);
//   }
//
// rapidcheck (https://github.com/emil-e/rapidcheck) generates the arguments
// from their types, and Clotho the schedules: each of 100 inputs runs with the
// schedules that the options request, as in CLOTHO_TEST; without options, once,
// in FIFO order. Everything follows from the base seed and the test's name: two
// runs of a test are identical.
//
// The body is a coroutine, and runs anew for each execution. In it and in
// everything it starts:
//
//   EXPECT_*, CLOTHO_ASSERT_*, mocks, Always   count, as in a CLOTHO_TEST
//   RC_ASSERT, RC_FAIL   count, wherever they are thrown
//   RC_PRE, RC_DISCARD   discard the input if its first execution reaches
//                        them; later, discard only the schedule
//   RC_SUCCEED           passes the execution
//   RC_TAG, RC_CLASSIFY  count inputs, by the first execution of each
//   RC_LOG               is shown below the failing input
//   *gen                 draws a value, which is shrunk like the arguments: the
//                        n-th draw of a task is the same in all schedules
//
// A failing input is shrunk first: a smaller one replaces it if any of its
// schedules, or the one that failed last, leads to the same failure. Then the
// schedule is shrunk. The replay string reproduces both.

#ifndef CLOTHO_PROPERTIES_PROPERTY_H_
#define CLOTHO_PROPERTIES_PROPERTY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "clotho/properties/input.h"
#include "clotho/runtime/coro.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/testing.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {

// The number of inputs, and their maximum size: rapidcheck's sizes rise from 0
// to `size_max`.
struct Cases {
  std::uint64_t cases = 100;
  std::uint64_t size_max = 100;

  void Apply(sim::Search& search) const {
    search.cases = cases;
    search.size_max = size_max;
    if (cases == 0 || size_max > sim::kInputSizeMax) {
      search.misuse =
          "properties::Cases: expected at least one case, and sizes of at most "
          "1000000";
    }
  }
};

namespace internal {

// A property with any arguments.
struct Property {
  std::vector<ValueGen> arguments;
  // Runs the body once. Throws what a generator throws.
  std::function<Coro<void>(Input&)> body;
};

// "(const std::vector<int>& items, int n)" gives "items" and "n". A parameter
// without a name gives an empty string.
std::vector<std::string> ParameterNames(std::string_view declarations);

sim::Report CheckProperty(const Property& property, const sim::Search& search,
                          std::string_view name);
absl::StatusOr<sim::Report> ReplayProperty(const Property& property,
                                           const sim::Search& search,
                                           std::string_view name,
                                           std::string_view replay);
void RunProperty(const Property& property, const sim::Search& search,
                 const char* file, int line);

template <typename... Parameters, std::size_t... kIndex>
Coro<void> StartBody(Coro<void> (*body)(Parameters...),
                     [[maybe_unused]] std::vector<Value>& arguments,
                     std::index_sequence<kIndex...>) {
  return body(static_cast<Parameters&&>(
      arguments[kIndex].template get<std::decay_t<Parameters>>())...);
}

template <typename... Parameters>
Property MakeProperty(Coro<void> (*body)(Parameters...),
                      std::string_view declarations) {
  std::vector<std::string> names = ParameterNames(declarations);
  names.resize(sizeof...(Parameters));
  Property property;
  [[maybe_unused]] std::size_t i = 0;
  (property.arguments.push_back(
       rc::gen::map(rc::gen::arbitrary<std::decay_t<Parameters>>(),
                    &Value::of<std::decay_t<Parameters>>)
           .as(names[i++])),
   ...);
  property.body = [body](Input& input) {
    return StartBody(body, input.Begin(),
                     std::index_sequence_for<Parameters...>());
  };
  return property;
}

}  // namespace internal

// Checks a property outside a test: returns the report of a CLOTHO_PROPERTY
// with this body. As with sim::Explore, EXPECT_* belong to the caller.
template <typename... Parameters, typename... Options>
sim::Report Check(Coro<void> (*body)(Parameters...),
                  const Options&... options) {
  return internal::CheckProperty(internal::MakeProperty(body, ""),
                                 sim::MakeSearch(options...), "");
}

// Reruns one input in one schedule. Reports an error if the string is invalid,
// or belongs to another property.
template <typename... Parameters, typename... Options>
absl::StatusOr<sim::Report> Replay(Coro<void> (*body)(Parameters...),
                                   std::string_view replay,
                                   const Options&... options) {
  return internal::ReplayProperty(internal::MakeProperty(body, ""),
                                  sim::MakeSearch(options...), "", replay);
}

}  // namespace clotho::properties

// The arguments are a parameter list in parentheses, followed by options: those
// of CLOTHO_TEST, and properties::Cases.
#define CLOTHO_PROPERTY(suite, name, arguments, ...)                         \
  static ::clotho::Coro<void> suite##_##name##_Body arguments;               \
  TEST(suite, name) {                                                        \
    ::clotho::properties::internal::RunProperty(                             \
        ::clotho::properties::internal::MakeProperty(&suite##_##name##_Body, \
                                                     #arguments),            \
        ::clotho::sim::MakeSearch(__VA_ARGS__), __FILE__, __LINE__);         \
  }                                                                          \
  static ::clotho::Coro<void> suite##_##name##_Body arguments

#endif  // CLOTHO_PROPERTIES_PROPERTY_H_
