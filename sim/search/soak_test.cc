// A million executions of one test (fewer in slow builds): memory stays
// constant, and every thousandth execution is repeated and has the same trace.

#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/choice.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/campaign.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/tracked.h"
#include "gtest/gtest.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CLOTHO_TEST_HAS_OWN_MALLOC 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CLOTHO_TEST_HAS_OWN_MALLOC 1
#endif

namespace clotho::sim {
namespace {

// In the optimised build; otherwise it would take more than a minute.
#if defined(__OPTIMIZE__) && !defined(CLOTHO_TEST_HAS_OWN_MALLOC)
constexpr std::uint64_t kExecutions = 1'000'000;
#else
constexpr std::uint64_t kExecutions = 50'000;
#endif

#ifdef CLOTHO_TEST_HAS_OWN_MALLOC
std::size_t BytesInUse() { return 0; }  // mallinfo2 sees only glibc's malloc.
#else
std::size_t BytesInUse() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}
#endif

// Clients of a server with a queue, a lock, and a deadline.
struct Server {
  Queue<int> requests{2};
  Lock lock;
  Tracked<int> served{"served", 0};
};

Coro<void> Serve(Server& server, int requests) {
  for (int i = 0; i < requests; ++i) {
    const int request = co_await server.requests.Get();
    Lock::Guard guard = co_await server.lock.Acquire();
    const int before = server.served.Read();
    if (Choose(2) == 1) co_await Sleep(absl::Milliseconds(request));
    server.served.Write() = before + 1;
    server.requests.TaskDone();
  }
}

Coro<void> Ask(Server& server, int client) {
  co_await Sleep(absl::Milliseconds(client % 2));
  co_await server.requests.Put(client);
}

Coro<void> OneDay() {
  Server server;
  Task<void> a = CreateTask(Serve(server, 2));
  Task<void> b = CreateTask(Serve(server, 2));
  co_await Gather(Ask(server, 1), Ask(server, 2), Ask(server, 3),
                  Ask(server, 4));
  bool late = false;
  try {
    co_await WaitFor(server.requests.Join(), absl::Milliseconds(3));
  } catch (const TimeoutError&) {
    late = true;
  }
  if (late) co_await server.requests.Join();
  co_await Gather(a, b);
  Always(server.served.Read() == 4, "each request is served");
}

TEST(SoakTest, MemoryIsConstant) {
  constexpr std::uint64_t kWarm = kExecutions / 10;
  std::uint64_t runs = 0;
  std::size_t warm_bytes = 0;
  const auto body = [&]() -> Coro<void> {
    if (++runs == kWarm) warm_bytes = BytesInUse();
    return OneDay();
  };
  std::size_t last_bytes = 0;
  {
    const Report report = Explore(body, Fuzz{.schedules = kExecutions});
    last_bytes = BytesInUse();
    EXPECT_TRUE(report.passed()) << report;
    EXPECT_EQ(report.search.executions, kExecutions);
  }
  // Some are repeated to be compared, the first one at the end, too.
  EXPECT_EQ(runs, kExecutions + kExecutions / 1'000 + 1);
  // What the strategies of the portfolio keep is bounded; this allows a tenth
  // of a byte per execution.
  EXPECT_LE(last_bytes, warm_bytes + kExecutions / 10);
}

Coro<void> BadDay() {
  Always(!Buggify(), "nothing goes wrong");
  Sometimes(Choose(4) == 3, "it is a three");
  co_await OneDay();
}

// A search with many failing executions, and with a record.
TEST(SoakTest, AndThatOfACampaign) {
  constexpr std::uint64_t kWarm = kExecutions / 10;
  std::uint64_t runs = 0;
  std::size_t warm_bytes = 0;
  const auto body = [&]() -> Coro<void> {
    if (++runs == kWarm) warm_bytes = BytesInUse();
    return BadDay();
  };
  Search search = MakeSearch(Fuzz{.schedules = kExecutions});
  internal::Campaign campaign(
      {.test = "Endurance.Campaign",
       .out = absl::StrCat(testing::TempDir(), "/endurance-", getpid()),
       .shard = {.index = 1, .count = 2},
       .failures_max = 0});
  search.campaign = &campaign;
  {
    const Report report = RunSearch(body, search, "Endurance.Campaign");
    const std::size_t last_bytes = BytesInUse();
    EXPECT_LE(last_bytes, warm_bytes + kExecutions / 10);
  }
  EXPECT_EQ(campaign.record().executions, kExecutions / 2);
  ASSERT_EQ(campaign.record().failures.size(), 1);
  EXPECT_GT(campaign.record().failures[0].hits, kExecutions / 1'000);
}

}  // namespace
}  // namespace clotho::sim
