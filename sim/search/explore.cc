#include "clotho/sim/search/explore.h"

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/campaign_loop.h"
#include "clotho/sim/search/crash_probe.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/fork_run.h"
#include "clotho/sim/search/replay_run.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/search/search_loop.h"
#include "clotho/sim/search/search_report.h"
#include "clotho/sim/strategies/by_name.h"

namespace clotho::sim {
namespace {

using internal::CampaignLoop;
using internal::ChildEnd;
using internal::CrashProbe;
using internal::ExecutionRunner;
using internal::ReplayRun;
using internal::SearchLoop;
using internal::Simulator;

// Makes `search` use the strategy that the replay string names. A test's own
// strategy stays: its name may be unknown elsewhere.
absl::Status UseStrategyOf(const StrategyRun& run, Search& search) {
  if (run.strategy == "exhaustive" || run.strategy == "guided") {
    return absl::InvalidArgumentError(absl::StrCat(
        "replay string: executions of strategy \"", run.strategy,
        "\" have no number of their own: expected their deviations, as in "
        "c1/0/4:1"));
  }
  if (run.strategy == search.strategy &&
      run.parameters == search.strategy_parameters) {
    return absl::OkStatus();
  }
  const absl::StatusOr<StrategyMaker> maker =
      StrategyByName(run.strategy, run.parameters);
  if (!maker.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("replay string: ", std::string(maker.status().message())));
  }
  search.make_strategy = {};
  search.strategy = run.strategy;
  search.strategy_parameters = run.parameters;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ReplayString> LoadReplay(std::string_view text) {
  absl::StatusOr<ReplayString> replay = ParseReplay(text);
  if (!replay.ok()) return replay;
  const auto* const file = std::get_if<ReplayFile>(&replay->schedule);
  if (file == nullptr) return replay;
  std::ifstream in(file->path);
  std::stringstream content;
  content << in.rdbuf();
  if (!in) {
    return absl::InvalidArgumentError(
        absl::StrCat("replay string: cannot read the file \"", file->path,
                     "\": expected a file with a replay string in it"));
  }
  std::string line = content.str();
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) {
    line.pop_back();
  }
  absl::StatusOr<ReplayString> loaded = ParseReplay(line);
  if (!loaded.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "in the file \"", file->path, "\": ", loaded.status().message()));
  }
  if (std::holds_alternative<ReplayFile>(loaded->schedule)) {
    return absl::InvalidArgumentError(
        absl::StrCat("replay string: the file \"", file->path,
                     "\" names another file: expected a schedule"));
  }
  return loaded;
}

Report RunSearch(const Body& body, const Search& search,
                 std::string_view name) {
  Report report = internal::NewReport(search);
  if (!search.misuse.empty()) {
    report.Misuse(search.misuse);
    return report;
  }
  if (const absl::Status status = internal::MakeStrategy(search).status();
      !status.ok()) {
    report.Misuse(std::string(status.message()));
    return report;
  }
  ExecutionRunner runner(body, search, name);
  if (search.campaign != nullptr) return CampaignLoop(runner).Run();
  if (search.isolate) {
    CrashProbe probe(runner);
    const ChildEnd end = probe.Run([&] { SearchLoop(runner, report).Run(); });
    if (!end.said.has_value()) {
      probe.OnCrash(end, /*shrinks=*/true, report);
      return report;
    }
  }
  SearchLoop(runner, report).Run();
  return report;
}

absl::StatusOr<Report> RunReplay(const Body& body, const Search& search,
                                 std::string_view name, std::string_view text) {
  const absl::StatusOr<ReplayString> replay = LoadReplay(text);
  if (!replay.ok()) return replay.status();
  if (replay->input != search.input) {
    return absl::InvalidArgumentError(
        absl::StrCat("replay string: ", internal::WrongInput(replay->input)));
  }
  Search how = search;
  if (const auto* const run = std::get_if<StrategyRun>(&replay->schedule)) {
    const absl::Status status = UseStrategyOf(*run, how);
    if (!status.ok()) return status;
  }
  Report report = internal::NewReport(how);
  ExecutionRunner runner(body, how, name);
  ReplayRun run(runner, *replay, report);
  if (how.isolate) {
    CrashProbe probe(runner);
    const ChildEnd end = probe.Run([&] { run.Run(); });
    if (!end.said.has_value()) {
      // The reader asked to see this schedule, not a smaller one.
      probe.OnCrash(end, /*shrinks=*/false, report);
      report.search.schedules = 0;
      return report;
    }
  }
  run.Run();
  return report;
}

Rng& ProgramRng() {
  Simulator* const simulator = Simulator::Current();
  if (simulator == nullptr) {
    throw RuntimeError(
        "ProgramRng() is for programs inside a simulation: elsewhere there is "
        "no seed that could replay it");
  }
  return simulator->program_rng();
}

}  // namespace clotho::sim
