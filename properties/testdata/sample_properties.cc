// Properties for command_line_test.cc to run. Some fail deliberately; this is
// not a test by itself.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clotho/properties/property.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/actions.h"
#include "clotho/sim/options.h"
#include "clotho/sim/testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

CLOTHO_PROPERTY(Passes, WithTags, (const std::vector<int>& items),
                sim::Random{.schedules = 20}) {
  RC_TAG(items.empty() ? "empty" : "full");
  RC_CLASSIFY(items.size() > 10);
  co_await Sleep(absl::Milliseconds(1));
}

CLOTHO_PROPERTY(Passes, Quietly, (int n), Cases{.cases = 10}) {
  EXPECT_EQ(n, n);
  co_return;
}

Coro<void> Append(std::vector<int>& to, int value) {
  co_await Sleep(absl::Milliseconds(1));
  to.push_back(value);
}

CLOTHO_PROPERTY(Fails, Expectation, (const std::vector<int>& items),
                sim::Random{.schedules = 20}) {
  std::vector<int> got;
  std::vector<Task<void>> tasks;
  for (const int item : items) tasks.push_back(CreateTask(Append(got, item)));
  for (const Task<void>& task : tasks) co_await task;
  EXPECT_EQ(got, items) << "out of order";
  EXPECT_EQ(got, items) << "only the first is told";
}

CLOTHO_PROPERTY(Fails, Assertion, (const std::string& text)) {
  co_await Sleep(absl::Milliseconds(1));
  CLOTHO_ASSERT_LT(text.size(), 4u);
}

class MockStore {
 public:
  MOCK_METHOD(Coro<void>, Put, (int value));
};

CLOTHO_PROPERTY(Fails, Mock, (std::uint8_t times)) {
  MockStore store;
  EXPECT_CALL(store, Put(testing::_))
      .Times(testing::AtMost(2))
      .WillRepeatedly(sim::CoReturn());
  for (int i = 0; i < times; ++i) co_await store.Put(i);
}

CLOTHO_PROPERTY(Fails, InALargeInput, (const std::vector<std::string>& lines)) {
  std::size_t size = 0;
  for (const std::string& line : lines) size += line.size();
  Always(size < 150, "it is small");
  co_return;
}

CLOTHO_PROPERTY(Skips, WhenTheBodySaysSo, (int)) {
  [] { GTEST_SKIP() << "not here"; }();
  co_return;
}

Coro<void> Aborts(int) {
  co_await Sleep(absl::Milliseconds(1));
  std::abort();
}

TEST(Dies, InASearchOfItsOwn) { EXPECT_TRUE(Check(&Aborts).passed()); }

CLOTHO_TEST(Fails, WithoutAnInput) {
  EXPECT_TRUE(false);
  co_return;
}

}  // namespace
}  // namespace clotho::properties
