// CPython's test of contexts in tasks (test_context.py), ported to Context. The
// test has the name of the original method. There, the precision of decimal
// numbers follows a task; here, a context variable stands in for it.

#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

class DecimalContextTest : public internal::RuntimeTest {
 protected:
  using Pair = std::pair<std::string, std::string>;

  // A library's function, which asks its context for the precision.
  std::string Divide(double x, double y) const {
    return absl::StrFormat("%.*f", precision_.Get(), x / y);
  }
  Coro<Pair> Fractions(Delay delay, int precision, double x, double y) {
    auto token = precision_.Set(precision);
    std::string a = Divide(x, y);
    co_await Sleep(delay);
    std::string b = Divide(x, y * y);
    precision_.Reset(token);
    co_return Pair(std::move(a), std::move(b));
  }

  const ContextVar<int> precision_{"precision", 28};
};

TEST_F(DecimalContextTest, AsyncioTaskDecimalContext) {
  const auto main = [&]() -> Coro<std::tuple<Pair, Pair>> {
    co_return co_await Gather(Fractions(absl::Milliseconds(100), 3, 1, 3),
                              Fractions(absl::Milliseconds(200), 6, 1, 3));
  };
  const auto [r1, r2] = Run(main());
  EXPECT_EQ(r1, Pair("0.333", "0.111"));
  EXPECT_EQ(r2, Pair("0.333333", "0.111111"));
  EXPECT_EQ(precision_.Get(), 28);
}

}  // namespace
}  // namespace clotho
