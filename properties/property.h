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
// rapidcheck (https://github.com/emil-e/rapidcheck) makes the arguments, each
// by the generator of its type, and Clotho the schedules: each of 100 inputs is
// run in the schedules that the options ask for, as with CLOTHO_TEST; without
// any, once, in FIFO order. Everything follows from the base seed and
// from the test's name: two runs of a test are the same.
//
// The body is a coroutine, and is run anew for each execution. In it and in
// whatever it starts:
//
//   EXPECT_*, CLOTHO_ASSERT_*, mocks, Always   count, as in a CLOTHO_TEST
//   RC_ASSERT, RC_FAIL   count, wherever they are thrown
//   RC_PRE, RC_DISCARD   another input, if the first execution of this one
//                        comes past them; later on, another schedule
//   RC_SUCCEED           the execution has passed
//   RC_TAG, RC_CLASSIFY  count inputs: what the first execution of each says
//   RC_LOG               is shown below the input that fails
//   *gen                 draws a value, which is shrunk like the arguments: the
//                        n-th draw of a task is the same in all schedules
//
// An input that fails is shrunk first: a smaller one takes its place if any of
// its schedules, or the one that failed last, leads to the same failure. Then
// the schedule is shrunk. The replay string brings both back.

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
#include "clotho/sim/testing.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {

// How many inputs, and how large they become: rapidcheck's sizes rise from 0 to
// `size_max`.
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

// A property, whatever its arguments are.
struct Property {
  std::vector<ValueGen> arguments;
  // An execution of the body. Throws what a generator throws.
  std::function<Coro<void>(Input&)> body;
};

// "(const std::vector<int>& items, int n)" declares "items" and "n". A
// parameter without a name has an empty one.
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

// The same for a function, without a test: what a CLOTHO_PROPERTY with this
// body would report. As with sim::Explore, EXPECT_* are the caller's.
template <typename... Parameters, typename... Options>
sim::Report Check(Coro<void> (*body)(Parameters...),
                  const Options&... options) {
  return internal::CheckProperty(internal::MakeProperty(body, ""),
                                 sim::MakeSearch(options...), "");
}

// Runs one input in one schedule again. An error if the string is none, or of
// another property.
template <typename... Parameters, typename... Options>
absl::StatusOr<sim::Report> Replay(Coro<void> (*body)(Parameters...),
                                   std::string_view replay,
                                   const Options&... options) {
  return internal::ReplayProperty(internal::MakeProperty(body, ""),
                                  sim::MakeSearch(options...), "", replay);
}

}  // namespace clotho::properties

// The arguments are a list of parameters in parentheses. Options follow them:
// those of CLOTHO_TEST, and properties::Cases.
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
