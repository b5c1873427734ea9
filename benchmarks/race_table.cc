#include "clotho/benchmarks/race_table.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "clotho/examples/races/races.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/strategies/by_name.h"

namespace clotho::benchmarks {
namespace {

using examples::Figure;
using examples::Published;
using examples::Race;

// Far more than any race takes without spinning.
constexpr std::uint64_t kStepsMax = 20'000;
// For measuring speed.
constexpr std::uint64_t kTimedSchedules = 2'000;

// Makes the seeds of a race's trials different from those of other races.
std::string NameOf(const Race& race) {
  return absl::StrCat(race.name, "/",
                      std::string(examples::FormName(race.form)));
}

sim::Search Trial(sim::Search search, const Race& race,
                  const Protocol& protocol, int trial) {
  search.schedules = protocol.schedules;
  search.seed = sim::DeriveSeed(protocol.seed, NameOf(race),
                                static_cast<std::uint64_t>(trial));
  search.fifo_only = protocol.fifo_only;
  return search;
}

bool IsTheKnownFailure(const Race& race, const sim::Failure& failure) {
  return failure.kind == race.failure &&
         absl::StrContains(failure.what, std::string(race.says));
}

std::string FirstLine(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// ---- Numbers. ----

// Three digits are more than twenty trials can justify.
std::string MeanText(double mean) {
  return mean < 9.95 ? absl::StrFormat("%.1f", mean)
                     : absl::StrFormat("%.0f", mean);
}

std::string FoundText(double mean, int found, int trials) {
  if (found == 0) return "–";
  std::string text = MeanText(mean);
  if (found < trials) absl::StrAppend(&text, " (", found, ")");
  return text;
}

std::string SpeedText(double per_second) {
  return per_second < 9'950 ? absl::StrFormat("%.1fk", per_second / 1e3)
                            : absl::StrFormat("%.0fk", per_second / 1e3);
}

std::string FigureText(const std::optional<Figure>& figure) {
  if (!figure.has_value()) return "";
  return FoundText(figure->mean, figure->trials_found, 20);
}

// ---- Tables. ----

void AppendLine(std::string* table, const std::vector<std::string>& cells) {
  for (const std::string& cell : cells) {
    absl::StrAppend(table, "| ", cell, cell.empty() ? "" : " ");
  }
  absl::StrAppend(table, "|\n");
}

// The geometric mean of strategy `index` over `rows`.
double GeometricMean(const std::vector<const Row*>& rows, std::size_t index) {
  double sum = 0;
  for (const Row* const row : rows) sum += std::log(row->hunts[index].mean);
  return std::exp(sum / static_cast<double>(rows.size()));
}

}  // namespace

absl::StatusOr<sim::Search> SearchByName(std::string_view name) {
  const std::size_t colon = name.find(':');
  sim::Search search;
  search.strategy = std::string(name.substr(0, colon));
  if (colon != name.npos) {
    search.strategy_parameters = std::string(name.substr(colon + 1));
  }
  absl::StatusOr<sim::StrategyMaker> make =
      sim::StrategyByName(search.strategy, search.strategy_parameters);
  if (!make.ok()) return make.status();
  search.make_strategy = *std::move(make);
  search.steps_max = kStepsMax;
  search.shrink_runs_max = 0;
  return search;
}

Hunt RunHunt(const Race& race, const sim::Search& search,
             const Protocol& protocol) {
  Hunt hunt;
  hunt.trials = protocol.trials;
  std::uint64_t executions = 0;
  for (int trial = 0; trial < protocol.trials; ++trial) {
    const sim::Report report = sim::RunSearch(
        race.buggy, Trial(search, race, protocol, trial), NameOf(race));
    if (report.passed()) continue;
    if (IsTheKnownFailure(race, *report.failure())) {
      ++hunt.found;
      executions += report.search.executions;
    } else {
      hunt.others.push_back(absl::StrCat("trial ", trial, ", execution ",
                                         report.search.executions, ": ",
                                         FirstLine(report.failure()->what)));
    }
  }
  if (hunt.found > 0) {
    hunt.mean = static_cast<double>(executions) / hunt.found;
  }
  sim::Search timed = Trial(search, race, protocol, 0);
  timed.schedules = std::min(protocol.schedules, kTimedSchedules);
  const auto begin = std::chrono::steady_clock::now();
  const sim::Report report = sim::RunSearch(race.fixed, timed, NameOf(race));
  const std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - begin;
  hunt.schedules_per_second =
      static_cast<double>(report.search.executions) / seconds.count();
  return hunt;
}

Shrinkage ShrinkFailures(const Race& race, const sim::Search& search,
                         const Protocol& protocol) {
  Shrinkage result;
  result.trials = protocol.trials;
  for (int trial = 0; trial < protocol.trials; ++trial) {
    sim::Search shrinking = Trial(search, race, protocol, trial);
    shrinking.shrink_runs_max = sim::Search().shrink_runs_max;
    const auto begin = std::chrono::steady_clock::now();
    const sim::Report report =
        sim::RunSearch(race.buggy, shrinking, NameOf(race));
    const std::chrono::duration<double> seconds =
        std::chrono::steady_clock::now() - begin;
    if (report.passed() || !IsTheKnownFailure(race, *report.failure()))
      continue;
    const std::size_t deviations =
        std::get<sim::Deviations>(report.replay.schedule).size();
    if (++result.found == 1) result.replay = sim::FormatReplay(report.replay);
    if (report.shrinking.minimal) ++result.minimal;
    result.deviations_found +=
        static_cast<double>(report.shrinking.deviations_found);
    result.deviations += static_cast<double>(deviations);
    result.deviations_max = std::max(result.deviations_max, deviations);
    result.runs += static_cast<double>(report.shrinking.runs);
    result.seconds_max = std::max(result.seconds_max, seconds.count());
  }
  if (result.found > 0) {
    result.deviations_found /= result.found;
    result.deviations /= result.found;
    result.runs /= result.found;
  }
  return result;
}

std::string CheckFixed(const Race& race, const sim::Search& search,
                       const Protocol& protocol) {
  const sim::Report report = sim::RunSearch(
      race.fixed, Trial(search, race, protocol, 0), NameOf(race));
  return report.passed() ? "" : report.Text();
}

std::string ShrinkTable(std::span<const ShrinkRow> rows) {
  std::string table;
  const std::vector<std::string> columns = {
      "program", "form",    "strategy", "found",  "1-minimal", "deviations",
      "shrunk",  "longest", "runs",     "ms max", "replay"};
  AppendLine(&table, columns);
  AppendLine(&table, std::vector<std::string>(columns.size(), "---"));
  for (const ShrinkRow& row : rows) {
    const Shrinkage& shrinkage = row.shrinkage;
    AppendLine(
        &table,
        {row.race->name, std::string(examples::FormName(row.race->form)),
         row.strategy, absl::StrCat(shrinkage.found),
         absl::StrCat(shrinkage.minimal), MeanText(shrinkage.deviations_found),
         MeanText(shrinkage.deviations), absl::StrCat(shrinkage.deviations_max),
         MeanText(shrinkage.runs),
         absl::StrFormat("%.1f", shrinkage.seconds_max * 1e3),
         shrinkage.replay});
  }
  return table;
}

std::string HuntTable(std::span<const std::string> strategies,
                      std::span<const Row> rows) {
  std::string table;
  std::vector<std::string> cells = {"program", "form", "d"};
  for (const std::string& strategy : strategies) {
    cells.push_back(strategy);
    cells.push_back("per s");
  }
  for (const char* const column :
       {"SURW", "PCT-3", "PCT-10", "POS", "random", "RFF", "published"}) {
    cells.push_back(column);
  }
  AppendLine(&table, cells);
  AppendLine(&table, std::vector<std::string>(cells.size(), "---"));

  std::vector<const Row*> always_found;
  for (const Row& row : rows) {
    cells = {row.race->name, std::string(examples::FormName(row.race->form)),
             absl::StrCat(row.race->depth)};
    bool always = true;
    for (const Hunt& hunt : row.hunts) {
      std::string found = FoundText(hunt.mean, hunt.found, hunt.trials);
      if (!hunt.others.empty()) found += " !";
      cells.push_back(std::move(found));
      cells.push_back(SpeedText(hunt.schedules_per_second));
      always = always && hunt.found == hunt.trials;
    }
    if (always) always_found.push_back(&row);
    const Published& published = row.race->published;
    for (const std::optional<Figure>& figure :
         {published.surw, published.pct3, published.pct10, published.pos,
          published.random, published.rff}) {
      cells.push_back(FigureText(figure));
    }
    cells.push_back(std::string(published.note));
    AppendLine(&table, cells);
  }

  absl::StrAppend(&table, "\n");
  AppendLine(&table,
             {"strategy", "ever found", "always found", "mean found per trial",
              absl::StrCat("geometric mean of the ", always_found.size(),
                           " common ones")});
  AppendLine(&table, std::vector<std::string>(5, "---"));
  for (std::size_t i = 0; i < strategies.size(); ++i) {
    int ever = 0;
    int always = 0;
    double per_trial = 0;
    for (const Row& row : rows) {
      const Hunt& hunt = row.hunts[i];
      if (hunt.found > 0) ++ever;
      if (hunt.found == hunt.trials) ++always;
      per_trial += static_cast<double>(hunt.found) / hunt.trials;
    }
    AppendLine(
        &table,
        {strategies[i], absl::StrCat(ever, " of ", rows.size()),
         absl::StrCat(always), absl::StrFormat("%.2f", per_trial),
         always_found.empty() ? "–"
                              : MeanText(GeometricMean(always_found, i))});
  }

  std::string others;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < strategies.size(); ++i) {
      for (const std::string& other : row.hunts[i].others) {
        absl::StrAppend(&others, "- ", NameOf(*row.race), ", ", strategies[i],
                        ", ", other, "\n");
      }
    }
  }
  if (!others.empty()) {
    absl::StrAppend(&table, "\nOther failures, which end a trial (!):\n\n",
                    others);
  }
  return table;
}

}  // namespace clotho::benchmarks
