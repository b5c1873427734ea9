#include "clotho/properties/checking.h"

#include <cstdint>
#include <ostream>

#include "clotho/sim/explore.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

// More than the executions from which a strategy learns.
constexpr std::uint64_t kSchedules = 12;

sim::Search SearchOf(const Way& way) {
  sim::Search search;
  switch (way.strategy) {
    case Way::Strategy::kRandom:
      sim::Random{.schedules = kSchedules, .seed = way.seed}.Apply(search);
      break;
    case Way::Strategy::kPct:
      sim::Pct{.schedules = kSchedules, .seed = way.seed}.Apply(search);
      break;
    case Way::Strategy::kPos:
      sim::Pos{.schedules = kSchedules, .seed = way.seed}.Apply(search);
      break;
    case Way::Strategy::kUrw:
      sim::Urw{.schedules = kSchedules, .seed = way.seed}.Apply(search);
      break;
    case Way::Strategy::kSurw:
      sim::Surw{.schedules = kSchedules, .seed = way.seed}.Apply(search);
      break;
    case Way::Strategy::kDelayBounded:
      sim::DelayBounded{.schedules = kSchedules, .seed = way.seed}.Apply(
          search);
      break;
  }
  search.strict = way.strict;
  return search;
}

sim::Report Run(const sim::Body& body, sim::Search search, bool explain) {
  if (!explain) search.shrink_runs_max = 0;
  return sim::RunSearch(body, search, "");
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Way& way) {
  return out << SearchOf(way).strategy << (way.strict ? ", strict" : "")
             << ", seed " << way.seed;
}

rc::Gen<Way> Ways() {
  using Strategy = Way::Strategy;
  return rc::gen::noShrink(rc::gen::build<Way>(
      rc::gen::set(&Way::strategy,
                   rc::gen::element(Strategy::kRandom, Strategy::kPct,
                                    Strategy::kPos, Strategy::kUrw,
                                    Strategy::kSurw, Strategy::kDelayBounded)),
      rc::gen::set(&Way::strict, rc::gen::arbitrary<bool>()),
      rc::gen::set(&Way::seed, rc::gen::inRange<std::uint64_t>(1, 1'000'000))));
}

sim::Report Try(const sim::Body& body, const Way& way, bool explain) {
  sim::Report report = Run(body, sim::MakeSearch(sim::Plain{}), explain);
  if (!report.passed()) return report;
  return Run(body, SearchOf(way), explain);
}

bool Holds(const sim::Body& body) {
  const Way way = *Ways();
  const sim::Report report = Try(body, way, /*explain=*/false);
  if (report.passed()) return true;
  RC_LOG() << Try(body, way, /*explain=*/true).Text();
  return false;
}

}  // namespace clotho::properties
