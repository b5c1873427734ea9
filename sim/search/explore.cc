#include "clotho/sim/search/explore.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/profile.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/stop_requests.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/report/livelock_summary.h"
#include "clotho/sim/report/races.h"
#include "clotho/sim/report/replay_command.h"
#include "clotho/sim/report/trace_bytes.h"
#include "clotho/sim/report/trace_recorder.h"
#include "clotho/sim/report/wait_report.h"
#include "clotho/sim/search/campaign.h"
#include "clotho/sim/search/campaign_record.h"
#include "clotho/sim/search/choice_list.h"
#include "clotho/sim/search/crash_handler.h"
#include "clotho/sim/search/fork_run.h"
#include "clotho/sim/search/shrink.h"
#include "clotho/sim/strategies/by_name.h"
#include "clotho/sim/strategies/bytes.h"
#include "clotho/sim/strategies/continue.h"
#include "clotho/sim/strategies/fifo.h"
#include "clotho/sim/strategies/random.h"
#include "clotho/sim/strategies/replay.h"
#include "clotho/sim/strategies/role_random.h"

namespace clotho::sim {
namespace {

using internal::ChildEnd;
using internal::ChoiceList;
using internal::Crash;
using internal::Execution;
using internal::MakeStrategy;
using internal::Ordering;
using internal::Simulator;
using internal::TraceRecorder;

// Longer replay strings are for files.
constexpr std::size_t kReplayLineMax = 200;

std::string WrongInput(std::string_view input) {
  if (input.empty()) {
    return "a property needs an input: expected one as in c1/8f21.12/4:1";
  }
  return absl::StrCat("the input \"", std::string(input.substr(0, 40)),
                      input.size() > 40 ? "...\"" : "\"",
                      " is of a property, which this test is not: expected a "
                      "program seed alone, as in c1/0/4:1");
}

class Explorer {
 public:
  Explorer(const Body& body, const Search& search, std::string_view name)
      : body_(body), search_(search), name_(name) {
    simulator_.set_budget(
        {.steps_max = search.steps_max,
         .virtual_time_max_ns = search.virtual_time_max.ns()});
    simulator_.set_ordering(search.fifo_only ? Ordering::kFifo
                                             : Ordering::kAnyReady);
    simulator_.set_debug(search.debug);
    simulator_.set_break_at_failure(search.break_at_failure);
    simulator_.set_job_time(search.job_time);
    simulator_.set_judge(search.judge);
    report_ = NewReport();
  }

  Report RunSearch() {
    if (!search_.misuse.empty()) {
      Misused(search_.misuse);
      return std::move(report_);
    }
    if (const absl::Status status = MakeStrategy(search_).status();
        !status.ok()) {
      Misused(std::string(status.message()));
      return std::move(report_);
    }
    if (search_.campaign != nullptr) return CampaignHere();
    if (search_.isolate) {
      const ChildEnd end = InChild([this] { SearchHere(); });
      if (!end.said.has_value()) {
        Died(end);
        return std::move(report_);
      }
    }
    return SearchHere();
  }

  Report RunReplay(const ReplayString& replay) {
    if (search_.isolate) {
      const ChildEnd end = InChild([&] { ReplayHere(replay); });
      if (!end.said.has_value()) {
        search_.shrink_runs_max = 0;  // It is to be seen as it is.
        Died(end);
        report_.schedules = 0;
        return std::move(report_);
      }
    }
    return ReplayHere(replay);
  }

 private:
  class Warm;

  Report SearchHere() {
    Warm warm(*this);
    SearchBy(warm);
    TakeCorpus(warm.strategy());
    return std::move(report_);
  }

  void SearchBy(Warm& warm) {
    for (const SavedSchedule& saved : search_.saved) {
      if (!RunSaved(saved)) return;
    }
    if (search_.first.has_value()) {
      const Execution& execution = Again(*search_.first);
      ++report_.executions;
      if (Counts(execution)) {
        Found(execution);
        return;
      }
    }
    if (search_.schedules == 1) BeginWatched();
    for (std::uint64_t j = 0; j < search_.schedules && !internal::Interrupted();
         ++j) {
      const Execution& execution = warm.Run(j);
      EndWatched();
      ++report_.executions;
      report_.steps += execution.steps;
      if (Counts(execution)) {
        Found(execution);
        return;
      }
      if (j == 0 && execution.failure.has_value() &&
          execution.failure->kind == FailureKind::kDiscarded) {
        report_.failure = execution.failure;
        return;
      }
      if (search_.check_every != 0 && j % search_.check_every == 0) {
        const std::uint64_t first = execution.trace_hash;
        const Deviations deviations = execution.deviations;
        if (Again(deviations).trace_hash != first) {
          NotDeterministic(deviations);
          return;
        }
      }
      if (warm.strategy().done()) {
        report_.exhausted = true;
        report_.scope = warm.strategy().scope();
        break;
      }
    }
    report_.distinct_executions =
        report_.executions - warm.strategy().repeated();
    if (internal::Interrupted()) return;
    if (search_.exhaustive && !report_.exhausted) CutShort();
    CountGoals();
    if (search_.trace_passes && search_.schedules == 1 && report_.passed()) {
      Record(Deviations(simulator_.execution().deviations));
    }
  }

  // A search in parts, or one that goes on after a failure.
  Report CampaignHere() {
    internal::Campaign& campaign = *search_.campaign;
    Warm warm(*this);
    if (!campaign.Begin(search_, warm.strategy())) {
      return campaign.Summary(std::move(report_));
    }
    if (campaign.runs_kept()) {
      for (const SavedSchedule& saved : search_.saved) {
        if (search_.isolate) {
          const ChildEnd end = InChild([&] { RunSaved(saved); });
          if (!end.said.has_value()) {
            AddCrash(campaign, end, /*number=*/0);
            continue;
          }
        }
        if (RunSaved(saved)) continue;
        if (report_.misused) return std::move(report_);
        Report found = std::exchange(report_, NewReport());
        const std::string signature = found.failure->signature;
        campaign.Add(signature, /*number=*/0, std::move(found));
      }
    }
    bool exhausted = false;
    Ahead ahead;
    while (!exhausted && campaign.More()) {
      const std::uint64_t j = campaign.next();
      if (search_.isolate) {
        if (ahead.lives == 0 && !ahead.crash.has_value()) {
          ahead = LookAhead(warm, campaign);
          continue;  // It may have taken the time there was.
        }
        if (ahead.lives == 0) {
          const ChildEnd end = *std::exchange(ahead.crash, std::nullopt);
          if (warm.PassOver(ahead.dies) && ahead.dies != j) continue;
          campaign.CountCrash();
          campaign.Advance();
          AddCrash(campaign, end, j);
          // To come to the next one, this process would have to run it.
          if (!end.crash.has_value() || !warm.strategy().numbered()) break;
          continue;
        }
        --ahead.lives;
      }
      warm.Learn(j);
      campaign.SetGoals(simulator_.goals());
      const Execution& execution = warm.Run(j);
      exhausted = warm.strategy().done();
      if (!warm.strategy().counts()) continue;
      const std::uint64_t number =
          campaign.Count(execution, warm.strategy(), simulator_.goals());
      campaign.Advance();
      if (Counts(execution)) {
        const std::string signature = execution.failure->signature;
        if (campaign.CountHit(signature)) continue;
        Report all = BeginOne(number);
        Found(execution);
        campaign.Add(signature, number, std::exchange(report_, std::move(all)));
        continue;
      }
      // Which ones are checked must not depend on how many others are run here.
      const std::uint64_t pick =
          warm.strategy().numbered() ? j : execution.trace_hash;
      if (search_.check_every == 0 || pick % search_.check_every != 0) continue;
      campaign.CountChecked();
      const std::uint64_t first = execution.trace_hash;
      const Deviations deviations = execution.deviations;
      if (Again(deviations).trace_hash == first) continue;
      Report all = BeginOne(number);
      NotDeterministic(deviations);
      campaign.Add("not deterministic", number,
                   std::exchange(report_, std::move(all)));
    }
    campaign.End(exhausted);
    if (exhausted) report_.scope = warm.strategy().scope();
    report_ = campaign.Summary(std::move(report_));
    // Of one shard among others nobody can say what is missing.
    const internal::Record& record = campaign.record();
    const bool alone = record.shard.count == 1 && record.shard.block == 0;
    if (alone && report_.passed() && campaign.status().ok() &&
        !internal::Interrupted()) {
      if (search_.exhaustive && !exhausted) CutShort();
      JudgeGoals(report_);
    }
    TakeCorpus(warm.strategy());
    return std::move(report_);
  }

  // What a child has found out about the executions that come next.
  struct Ahead {
    std::uint64_t lives = 0;        // So many can be run.
    std::optional<ChildEnd> crash;  // The one after them cannot. Nothing: it is
                                    // not known.
    std::uint64_t dies = 0;         // Its number, which may be one that has to
                                    // be run before.
  };

  // Runs them in a child, for a second or so.
  Ahead LookAhead(Warm& warm, internal::Campaign& campaign) {
    using Clock = std::chrono::steady_clock;
    struct Seen {
      std::uint64_t lives = 0;
      std::uint64_t running = 0;
    };
    internal::SharedWithChild<Seen> seen;
    const ChildEnd end = InChild([&] {
      const auto until = Clock::now() + std::chrono::seconds(1);
      while (campaign.HasNext() && !warm.strategy().done() &&
             !internal::Interrupted() && Clock::now() < until) {
        const std::uint64_t j = campaign.next();
        while (warm.HasToLearn(j)) {
          seen->running = warm.learned();
          warm.Run(warm.learned());
        }
        seen->running = j;
        warm.Run(j);
        if (warm.strategy().counts()) campaign.Advance();
        ++seen->lives;
      }
    });
    Ahead ahead = {
        .lives = seen->lives, .crash = std::nullopt, .dies = seen->running};
    if (!end.said.has_value()) ahead.crash = end;
    return ahead;
  }

  // A child has died in execution `number`.
  void AddCrash(internal::Campaign& campaign, const ChildEnd& end,
                std::uint64_t number) {
    const std::string signature =
        end.crash.has_value() ? SignatureOf(*end.crash) : "crash";
    if (campaign.CountHit(signature)) return;
    Report all = BeginOne(number);
    Died(end);
    campaign.Add(signature, number, std::exchange(report_, std::move(all)));
  }

  // Runs what the strategy has saved once more, to write it down as bytes.
  void TakeCorpus(const Strategy& strategy) {
    if (!search_.wants_corpus || in_child_) return;
    for (const Deviations& saved : strategy.corpus()) {
      const OrderingScope ordering(*this, OrderingOf(saved));
      ReplayStrategy replay(saved);
      BytesWriter writer(replay);
      simulator_.Run(body_, writer, ProgramSeed());
      report_.corpus.push_back(writer.bytes());
    }
  }

  Report NewReport() const {
    Report report;
    report.strategy = search_.strategy;
    report.seed = search_.seed;
    report.schedules = search_.schedules;
    return report;
  }

  // A report of its own for what execution `number` has found. Returns the one
  // of the whole.
  Report BeginOne(std::uint64_t number) {
    Report report = NewReport();
    report.executions = number + 1;
    return std::exchange(report_, std::move(report));
  }

  // The execution that a person watches or looks into, and none of those that
  // check, shrink or record it.
  void BeginWatched() {
    simulator_.set_rate(search_.rate);
    simulator_.set_break_before(search_.break_before);
  }
  void EndWatched() {
    simulator_.set_rate(0);
    simulator_.set_break_before(0);
  }

  static bool IsFailure(const Failure& failure) {
    return failure.kind != FailureKind::kDiscarded &&
           failure.kind != FailureKind::kSucceeded;
  }

  // Whether a search ends with this execution.
  bool Counts(const Execution& execution) const {
    if (!execution.failure.has_value()) return false;
    if (!IsFailure(*execution.failure)) return false;
    return search_.signature.empty() ||
           execution.failure->signature == search_.signature;
  }

  Report ReplayHere(const ReplayString& replay) {
    report_.schedules = 0;
    report_.executions = 1;
    search_.program_seed = replay.program_seed;
    report_.replay = replay;
    if (const auto* const run = std::get_if<StrategyRun>(&replay.schedule)) {
      // Not shrunk: what the strategy does is found out first.
      Warm warm(*this);
      warm.Learn(run->execution);
      BeginWatched();
      const Execution& execution = warm.Run(run->execution);
      EndWatched();
      return Follow(replay, execution, std::nullopt);
    }
    const Deviations& deviations = std::get<Deviations>(replay.schedule);
    const OrderingScope ordering(*this, OrderingOf(deviations));
    ReplayStrategy strategy(deviations);
    BeginWatched();
    const Execution& execution = simulator_.Run(body_, strategy, ProgramSeed());
    EndWatched();
    return Follow(replay, execution, strategy.FinalDivergence());
  }

  // The executions of the search: the first ones teach the strategy what the
  // program is like. Those have to be run, in their order, before any other.
  class Warm {
   public:
    explicit Warm(Explorer& explorer)
        : explorer_(explorer),
          strategy_(*MakeStrategy(explorer.search_)),
          warm_up_(strategy_->warm_up()) {}

    Strategy& strategy() { return *strategy_; }

    // Runs those of the first ones that have to come before this one, and were
    // not run.
    void Learn(std::uint64_t j) {
      while (HasToLearn(j)) Run(learned_);
    }
    bool HasToLearn(std::uint64_t j) const {
      return learned_ < std::min(warm_up_, j);
    }
    // The next of the first ones.
    std::uint64_t learned() const { return learned_; }
    // No process survives execution `j`. True if it is one of the first ones:
    // nothing is learned from it, whoever runs the search.
    bool PassOver(std::uint64_t j) {
      if (j >= warm_up_) return false;
      Learn(j);
      learned_ = j + 1;
      return true;
    }

    const Execution& Run(std::uint64_t j) {
      Simulator& simulator = explorer_.simulator_;
      const internal::Seeds seeds = explorer_.SeedsOf(j);
      if (j >= warm_up_) {
        if (!prepared_ && warm_up_ > 0) strategy_->Prepare(profile_);
        prepared_ = true;
        const Execution& execution =
            simulator.Run(explorer_.body_, *strategy_, seeds);
        strategy_->EndExecution();
        return execution;
      }
      learned_ = j + 1;
      simulator.set_profile(&profile_);
      FifoStrategy fifo;
      RoleRandomStrategy random;
      const Execution& execution =
          simulator.Run(explorer_.body_,
                        j == 0 ? static_cast<Strategy&>(fifo) : random, seeds);
      simulator.set_profile(nullptr);
      return execution;
    }

   private:
    Explorer& explorer_;
    const std::unique_ptr<Strategy> strategy_;
    const std::uint64_t warm_up_;
    std::uint64_t learned_ = 0;  // Of the first ones.
    Profile profile_;
    bool prepared_ = false;
  };

  void Misused(std::string what) {
    report_.misused = true;
    Failure failure;
    failure.kind = FailureKind::kMisuse;
    failure.what = std::move(what);
    failure.signature = "misuse";
    report_.failure = std::move(failure);
  }

  // False if that was all.
  bool RunSaved(const SavedSchedule& saved) {
    const absl::StatusOr<ReplayString> replay = ParseReplay(saved.replay);
    const Deviations* const deviations =
        replay.ok() ? std::get_if<Deviations>(&replay->schedule) : nullptr;
    if (deviations == nullptr) {
      Misused(absl::StrCat(
          "sim::ReplayFirst(\"", saved.replay, "\"): ",
          replay.ok() ? "expected deviations from FIFO order, as in c1/0/4:1"
                      : std::string(replay.status().message())));
      return false;
    }
    if (replay->input != search_.input) {
      Misused(absl::StrCat("sim::ReplayFirst(\"", saved.replay,
                           "\"): ", WrongInput(replay->input)));
      return false;
    }
    const std::uint64_t program_seed =
        std::exchange(search_.program_seed, replay->program_seed);
    {
      const OrderingScope ordering(*this, OrderingOf(*deviations));
      ReplayStrategy strategy(*deviations);
      const Execution& execution =
          simulator_.Run(body_, strategy, ProgramSeed());
      ++report_.executions;
      if (Counts(execution)) {
        report_.saved =
            absl::StrCat("the saved schedule ", saved.replay,
                         saved.place.empty() ? "" : " of ", saved.place,
                         saved.note.empty() ? "" : ", ", saved.note);
        Found(execution);
        return false;
      }
      if (const auto divergence = strategy.FinalDivergence()) {
        report_.drifted.push_back(
            absl::StrCat(saved.replay, saved.place.empty() ? "" : " of ",
                         saved.place, ": ", *divergence));
      }
    }
    search_.program_seed = program_seed;
    return true;
  }

  // A search that had to be exhaustive has come to the end of its budget.
  void CutShort() {
    if (search_.allow_incomplete) return;
    report_.incomplete = true;
    Failure failure;
    failure.kind = FailureKind::kIncomplete;
    failure.what = absl::StrCat(
        "Incomplete: ", report_.executions,
        " executions have passed, and there are more\n(raise the number: "
        "sim::Exhaustive{.schedules = ...}; bound it: {.deviations_max = 2}; "
        "or accept it: {.allow_incomplete = true})");
    failure.signature = "incomplete";
    report_.failure = std::move(failure);
  }

  void CountGoals() {
    CollectGoals();
    JudgeGoals(report_);
  }

  // Those that the search has met until now.
  void CollectGoals() {
    for (const internal::GoalCount& goal : simulator_.goals()) {
      report_.goals.push_back({.goal = goal.goal,
                               .place = internal::Place(goal.location),
                               .line = goal.location.line(),
                               .reached = goal.reached});
    }
  }

  // Reports a replayed execution, unless the program did not follow.
  Report Follow(const ReplayString& replay, const Execution& execution,
                std::optional<std::string> divergence) {
    report_.steps = execution.steps;
    if (!divergence.has_value() && replay.check.has_value() &&
        *replay.check != execution.check) {
      divergence =
          "the choices that the program met are not those of the replay string";
    }
    if (divergence.has_value()) {
      report_.diverged = true;
      Failure failure;
      failure.what = absl::StrCat(
          "The replay does not fit the program: ", *divergence,
          "\nThe string was made by another program, or by another version of "
          "this one.");
      failure.signature = "divergence";
      report_.failure = std::move(failure);
      return std::move(report_);
    }
    const Deviations deviations = execution.deviations;
    const std::uint64_t hash = execution.trace_hash;
    if (Record(deviations) != hash) {
      NotDeterministic(deviations);
    } else if (report_.failure.has_value()) {
      report_.trace.fifo = InFifoOrder(deviations, report_.failure->step);
    }
    return std::move(report_);
  }

  internal::Seeds SeedsOf(std::uint64_t execution) const {
    // Another input is run in other schedules.
    const std::uint64_t seed =
        search_.input.empty()
            ? search_.seed
            : DeriveSeed(search_.seed, "input", search_.program_seed);
    return {.strategy = DeriveSeed(seed, name_, execution),
            .program = search_.program_seed};
  }
  internal::Seeds ProgramSeed() const {
    return {.strategy = 0, .program = search_.program_seed};
  }

  // A schedule says by itself which ordering it is for, unless it is empty:
  // then it does not matter.
  static Ordering OrderingOf(const Deviations& deviations) {
    const bool strict = std::ranges::any_of(
        deviations, [](const Deviation& d) { return d.boundary() > 0; });
    return strict ? Ordering::kFifo : Ordering::kAnyReady;
  }

  // Sets the simulator's ordering while it lives.
  class OrderingScope {
   public:
    OrderingScope(Explorer& explorer, Ordering ordering) : explorer_(explorer) {
      explorer_.simulator_.set_ordering(ordering);
    }
    ~OrderingScope() {
      explorer_.simulator_.set_ordering(
          explorer_.search_.fifo_only ? Ordering::kFifo : Ordering::kAnyReady);
    }

   private:
    Explorer& explorer_;
  };

  const Execution& Again(const Deviations& deviations) {
    const OrderingScope ordering(*this, OrderingOf(deviations));
    ReplayStrategy strategy(deviations);
    return simulator_.Run(body_, strategy, ProgramSeed());
  }

  // An execution failed: makes sure of it, shrinks it, records it.
  void Found(const Execution& execution) {
    if (in_child_) return;
    const std::uint64_t runs_max = search_.shrink_runs_max;
    // What is tried for that may end the process, where this execution did not.
    // Then it stays as it is.
    if (search_.isolate && runs_max > 0 &&
        !internal::RunInChild([&]() -> std::string {
           LookInto(execution);
           return "";
         }).said.has_value()) {
      search_.shrink_runs_max = 0;
    }
    LookInto(execution);
    search_.shrink_runs_max = runs_max;
  }

  void LookInto(const Execution& execution) {
    // (A campaign has them for itself, whatever part of it this is.)
    if (search_.campaign == nullptr) CollectGoals();
    const Failure failure = *execution.failure;
    const std::string& signature = failure.signature;
    const std::uint64_t hash = execution.trace_hash;
    Deviations deviations = execution.deviations;
    {
      const Execution& again = Again(deviations);
      if (!again.failure.has_value() || again.failure->signature != signature ||
          again.trace_hash != hash) {
        NotDeterministic(deviations);
        return;
      }
    }
    report_.deviations_found = deviations.size();
    if (search_.shrink_runs_max > 0 && !deviations.empty()) {
      deviations = ShrinkTo(failure, std::move(deviations));
    } else {
      report_.minimal = deviations.empty();
    }
    Record(deviations);
    if (!report_.failure.has_value() ||
        report_.failure->signature != signature) {
      NotDeterministic(deviations);
      return;
    }
    if (search_.shrink_runs_max == 0) return;  // Nobody wants it explained.
    report_.trace.fifo = InFifoOrder(deviations, report_.failure->step);
    report_.reachable =
        Reachability(deviations, signature, report_.failure->step);
    report_.turn = TurningPoint(deviations, signature, report_.failure->step);
    report_.nearest_pass = NearestPass(deviations, report_.failure->step);
  }

  // The execution without deviations, to compare one with that has `steps`.
  std::optional<FifoRun> InFifoOrder(const Deviations& deviations,
                                     std::uint64_t steps) {
    constexpr std::uint64_t kMore = 1'000;  // Than the other one has.
    if (deviations.empty() || in_child_) return std::nullopt;
    TraceRecorder recorder(simulator_);
    const OrderingScope ordering(*this, OrderingOf(deviations));
    FifoStrategy strategy;
    const Execution& execution =
        simulator_.Run(body_, strategy, ProgramSeed(), &recorder);
    FifoRun fifo;
    if (execution.failure.has_value() && IsFailure(*execution.failure)) {
      const std::string& what = execution.failure->what;
      fifo.failure = what.substr(0, what.find('\n'));
    }
    const Trace& trace = recorder.trace();
    // Whose steps they are: what begins first in each.
    auto event = trace.events.begin();
    for (const TraceStep& step : trace.steps) {
      if (step.step > steps + kMore) {
        ++fifo.left_out;
        continue;
      }
      const auto begins = [&step](const TraceEvent& e) {
        return e.step == step.step && (e.kind == TraceEvent::Kind::kStart ||
                                       e.kind == TraceEvent::Kind::kResume);
      };
      while (event != trace.events.end() && event->step <= step.step &&
             !begins(*event)) {
        ++event;
      }
      const bool known = event != trace.events.end() && begins(*event);
      fifo.steps.push_back({.step = step.step,
                            .time_ns = step.time_ns,
                            .task = known ? trace.lanes[event->lane] : "-",
                            .taken = step.taken});
    }
    return fifo;
  }

  // The steps of an execution that goes on where the failing one, of so many,
  // has ended: as many as the one in FIFO order has, more or less.
  std::uint64_t LengthOfOne(std::uint64_t steps) const {
    const std::optional<FifoRun>& fifo = report_.trace.fifo;
    const std::uint64_t to_the_end =
        fifo.has_value() ? fifo->steps.size() + fifo->left_out : 0;
    return std::max({steps, to_the_end, std::uint64_t{1}});
  }

  // The deviation that decides: how many random continuations fail after it,
  // and how many before it. (Causality analysis by re-execution; the largest
  // rise is taken.) Empty if there is none, or if it would take long.
  std::string TurningPoint(const Deviations& deviations,
                           const std::string& signature, std::uint64_t steps) {
    constexpr std::uint64_t kStepsMax = 1'000'000;
    constexpr std::uint64_t kContinuationsMax = 200;
    constexpr std::uint64_t kContinuationsMin = 50;  // Fewer would say little.
    if (deviations.empty()) return "";
    const std::uint64_t continuations =
        std::min(kContinuationsMax,
                 kStepsMax / (2 * deviations.size() * LengthOfOne(steps)));
    if (continuations < kContinuationsMin) return "";
    const OrderingScope ordering(*this, OrderingOf(deviations));
    const auto failures_after = [&](std::uint64_t last_step) {
      std::uint64_t failures = 0;
      for (std::uint64_t j = 0; j < continuations; ++j) {
        ContinueStrategy strategy(deviations, last_step);
        const Execution& execution = simulator_.Run(
            body_, strategy,
            {.strategy = DeriveSeed(search_.seed, "turning point", j),
             .program = search_.program_seed});
        failures += execution.failure.has_value() &&
                    execution.failure->signature == signature;
      }
      return failures;
    };
    // Up to the step before a deviation, and then including it.
    const Deviation* turn = nullptr;
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    for (const Deviation& deviation : deviations) {
      const std::uint64_t without = failures_after(deviation.step - 1);
      const std::uint64_t with = failures_after(deviation.step);
      if (turn == nullptr || with + before > without + after) {
        turn = &deviation;
        before = without;
        after = with;
      }
    }
    if (after <= before) return "";
    return absl::StrCat("step ", turn->step, ": ", after, " of ", continuations,
                        " random continuations fail after it, ", before,
                        " before it");
  }

  // The passing execution that goes with the failing one for the longest, of
  // those that then choose once more otherwise, and go on in FIFO order. Empty
  // if there is none, or if it would take long to find.
  std::string NearestPass(const Deviations& deviations, std::uint64_t steps) {
    constexpr std::size_t kChoicesMax = 4;  // Tried at each step.
    std::uint64_t runs_left = std::min<std::uint64_t>(
        500, 500'000 / std::max<std::uint64_t>(steps, 1));
    ChoiceList list(deviations, kChoicesMax);
    {
      const OrderingScope ordering(*this, OrderingOf(deviations));
      simulator_.Run(body_, list, ProgramSeed());
    }
    for (auto others = list.steps().rbegin(); others != list.steps().rend();
         ++others) {
      Deviations candidate;
      for (const Deviation& deviation : deviations) {
        if (deviation.step < others->step) candidate.push_back(deviation);
      }
      const std::size_t common = candidate.size();
      for (const std::uint32_t choice : others->choices) {
        if (runs_left-- == 0) return "";
        candidate.resize(common);
        if (choice != 0) candidate.push_back({others->step, choice});
        if (!Again(candidate).failure.has_value()) {
          return DescribePass(candidate, others->step);
        }
      }
    }
    return "";
  }

  // `candidate` passes, and leaves the failing execution at `step`.
  std::string DescribePass(const Deviations& candidate, std::uint64_t step) {
    TraceRecorder recorder(simulator_);
    {
      const OrderingScope ordering(*this, OrderingOf(candidate));
      ReplayStrategy strategy(candidate);
      simulator_.Run(body_, strategy, ProgramSeed(), &recorder);
    }
    std::string instead;
    for (const DeviationText& deviation : recorder.trace().deviations) {
      if (deviation.step == step) instead = deviation.taken;
    }
    for (const DeviationText& deviation : report_.trace.deviations) {
      if (deviation.step == step && instead.empty()) instead = deviation.fifo;
    }
    constexpr std::size_t kShownMax = 60;
    std::string replay = ReplayOf(candidate);
    if (replay.size() > kShownMax) replay = "the same deviations before it";
    return absl::StrCat("nearest pass  ", replay, ": at step ", step, " ",
                        instead);
  }

  // Whether asyncio could show this failure, too: a schedule in FIFO
  // ordering is looked for.
  std::string Reachability(const Deviations& deviations,
                           const std::string& signature, std::uint64_t steps) {
    constexpr std::string_view kYes = "reachable under asyncio today";
    if (deviations.empty() || OrderingOf(deviations) == Ordering::kFifo) {
      return std::string(kYes);
    }
    // Fewer of a long program.
    const std::uint64_t tries = std::clamp<std::uint64_t>(
        1'000'000 / std::max<std::uint64_t>(steps, 1), 10, 300);
    const OrderingScope ordering(*this, Ordering::kFifo);
    FifoStrategy fifo;
    bool choices = simulator_.Run(body_, fifo, ProgramSeed()).choice_points > 0;
    RandomStrategy random;
    for (std::uint64_t j = 0; choices && j < tries; ++j) {
      const Execution& execution = simulator_.Run(body_, random, SeedsOf(j));
      if (execution.failure.has_value() &&
          execution.failure->signature == signature &&
          !execution.deviations.empty()) {
        const Deviations found = ShrinkQuietly(signature, execution.deviations);
        return absl::StrCat(std::string(kYes), ", with ", ReplayOf(found));
      }
    }
    return absl::StrCat(
        "needs a reordering that asyncio does not do today",
        choices ? absl::StrCat(" (", tries, " FIFO executions passed)") : "");
  }

  Deviations ShrinkQuietly(const std::string& signature,
                           Deviations deviations) {
    return Minimized(std::move(deviations), Fails(signature),
                     ShrinkDeadline(search_))
        .deviations;
  }

  // `failure` is what `found` ends with.
  Deviations ShrinkTo(const Failure& failure, Deviations found) {
    const auto fails = Fails(failure.signature);
    const std::size_t from = found.size();
    std::size_t least = from;
    const auto attempt =
        [&](const Deviations& candidate) -> std::optional<Deviations> {
      std::optional<Deviations> happened = fails(candidate);
      if (happened.has_value()) least = std::min(least, candidate.size());
      if (search_.campaign != nullptr) {
        search_.campaign->Shrinks(failure, from, least);
      }
      return happened;
    };
    return ShrinkTo(std::move(found), attempt, ShrinkDeadline(search_));
  }

  Deviations ShrinkTo(Deviations deviations, TryDeviations attempt,
                      std::chrono::steady_clock::time_point deadline) {
    ShrinkResult result = Minimized(std::move(deviations), attempt, deadline);
    report_.shrink_runs = result.runs;
    report_.minimal = result.minimal;
    return std::move(result.deviations);
  }

  // Whether an execution in this process fails with it.
  std::function<std::optional<Deviations>(const Deviations&)> Fails(
      const std::string& signature) {
    return [this, signature](
               const Deviations& candidate) -> std::optional<Deviations> {
      const Execution& execution = Again(candidate);
      if (!execution.failure.has_value() ||
          execution.failure->signature != signature) {
        return std::nullopt;
      }
      return execution.deviations;
    };
  }

  ShrinkResult Minimized(Deviations deviations, TryDeviations attempt,
                         std::chrono::steady_clock::time_point deadline) const {
    const auto out_of_time = [deadline] { return ShrinkingIsOver(deadline); };
    ShrinkOptions options;
    options.runs_max = search_.shrink_runs_max;
    options.out_of_time.emplace(out_of_time);
    return Shrink(std::move(deviations), attempt, options);
  }

  // Runs the execution once more and writes down what happens. Returns the hash
  // of its steps.
  std::uint64_t Record(const Deviations& deviations) {
    TraceRecorder recorder(simulator_);
    const OrderingScope ordering(*this, OrderingOf(deviations));
    ReplayStrategy strategy(deviations);
    const Execution& execution =
        simulator_.Run(body_, strategy, ProgramSeed(), &recorder);
    report_.failure = execution.failure;
    if (report_.failure.has_value() && !IsFailure(*report_.failure)) {
      report_.failure.reset();
    }
    if (report_.failure.has_value()) Explain(*report_.failure, recorder);
    report_.trace = std::move(recorder.trace());
    report_.trace_hash = report_.trace.Hash();
    report_.replay = ReplayString{.program_seed = search_.program_seed,
                                  .input = search_.input,
                                  .schedule = execution.deviations,
                                  .check = execution.check};
    if (!report_.failure.has_value()) return execution.trace_hash;
    if (recorder.races().race().has_value()) {
      report_.race = internal::RaceText(*recorder.races().race());
    }
    report_.again = internal::ReplayCommand(name_, ReplayText());
    return execution.trace_hash;
  }

  // ---- Programs that end the process. ----

  // In a child only whether it lives through it is of interest: a failure is
  // found once more, here.
  ChildEnd InChild(absl::FunctionRef<void()> run) {
    return internal::RunInChild([&]() -> std::string {
      in_child_ = true;
      run();
      return "";
    });
  }

  static std::string SignatureOf(const Crash& crash) {
    return absl::StrCat("crash ", internal::DeathText(crash), " ",
                        crash.function);
  }

  // The crash of a child that runs this schedule, if it is this one.
  std::optional<Crash> DieOf(
      const std::string& signature, const Deviations& deviations,
      std::optional<std::chrono::steady_clock::time_point> deadline) {
    ChildEnd end = internal::RunInChild(
        [&]() -> std::string {
          Again(deviations);
          return "";
        },
        deadline);
    if (!end.crash.has_value() || SignatureOf(*end.crash) != signature) {
      return std::nullopt;
    }
    return std::move(end.crash);
  }

  // A child has died: makes sure of it, shrinks it, and records what came
  // before.
  void Died(const ChildEnd& end) {
    std::fputs(end.output.c_str(), stderr);  // A sanitizer's report, maybe.
    Failure failure;
    failure.kind = FailureKind::kCrash;
    failure.signature = "crash";
    if (!end.crash.has_value()) {
      failure.what =
          absl::StrCat("The process that ran the search ended: ", end.other,
                       "\nIn which execution is not known.");
      report_.failure = std::move(failure);
      return;
    }
    const std::string signature = SignatureOf(*end.crash);
    search_.program_seed = end.crash->program_seed;
    Deviations deviations = end.crash->deviations;
    report_.deviations_found = deviations.size();
    std::optional<Crash> crash = DieOf(signature, deviations, std::nullopt);
    if (crash.has_value() && search_.shrink_runs_max > 0) {
      const auto deadline = ShrinkDeadline(search_);
      deviations = ShrinkTo(
          std::move(deviations),
          [&](const Deviations& candidate) -> std::optional<Deviations> {
            std::optional<Crash> again = DieOf(signature, candidate, deadline);
            if (!again.has_value()) return std::nullopt;
            return std::move(again->deviations);
          },
          deadline);
      crash = DieOf(signature, deviations, std::nullopt);
    }
    report_.replay = ReplayString{.program_seed = search_.program_seed,
                                  .input = search_.input,
                                  .schedule = deviations,
                                  .check = std::nullopt};
    report_.again = internal::ReplayCommand(name_, ReplayText());
    if (!crash.has_value()) {
      report_.nondeterministic = true;
      failure.kind = FailureKind::kNotDeterministic;
      failure.what = absl::StrCat(
          "Not deterministic: ", internal::DeathText(*end.crash),
          " in a run of ", FormatDeviations(deviations),
          "\nanother run of the same schedule did not die of that");
      failure.signature = "not deterministic";
      crash = end.crash;
    } else {
      failure.what =
          absl::StrCat(internal::DeathText(*crash),
                       crash->after_last_step ? " after the last step" : "");
      failure.signature = signature;
      failure.function = crash->function;
      RecordUpTo(*crash, deviations);
    }
    failure.task = crash->task;
    failure.step = crash->step;
    failure.time_ns = crash->time_ns;
    report_.failure = std::move(failure);
  }

  // What came before a step that no process survives.
  void RecordUpTo(const Crash& crash, const Deviations& deviations) {
    const ChildEnd end = internal::RunInChild([&]() -> std::string {
      TraceRecorder recorder(simulator_);
      // What follows is the crash.
      recorder.set_on_end([&recorder] {
        internal::EndChild(internal::WriteTrace(recorder.trace()));
      });
      if (!crash.after_last_step) simulator_.set_stop_before(crash.step);
      const OrderingScope ordering(*this, OrderingOf(deviations));
      ReplayStrategy strategy(deviations);
      simulator_.Run(body_, strategy, ProgramSeed(), &recorder);
      return "";
    });
    std::optional<Trace> trace;
    if (end.said.has_value()) trace = internal::ReadTrace(*end.said);
    if (trace.has_value()) {
      report_.trace = *std::move(trace);
      report_.trace_hash = report_.trace.Hash();
      return;
    }
    // It is not the same every time. At least the schedule is known.
    for (const Deviation& deviation : deviations) {
      report_.trace.deviations.push_back(
          {.step = deviation.step,
           .taken = FormatDeviations({deviation}),
           .fifo = ""});
    }
  }

  // Adds what only a recording knows.
  void Explain(Failure& failure, TraceRecorder& recorder) {
    switch (failure.kind) {
      case FailureKind::kDeadlock:
        report_.waits = internal::WaitsText(recorder);
        break;
      case FailureKind::kInvariant:
        failure.task = recorder.LastToStep();
        break;
      case FailureKind::kLivelock:
      case FailureKind::kVirtualTime:
        if (const std::string livelock_summary =
                internal::LivelockSummary(recorder.trace());
            !livelock_summary.empty()) {
          // After the first line, which says what it is.
          const std::size_t at = failure.what.find('\n');
          failure.what.insert(at, "\n" + livelock_summary);
        }
        break;
      default:
        break;
    }
  }

  // Without a check.
  std::string ReplayOf(const Deviations& deviations) const {
    return FormatReplay({.program_seed = search_.program_seed,
                         .input = search_.input,
                         .schedule = deviations});
  }

  // Long ones go to a file, beside the other results.
  std::string ReplayText() const {
    const std::string text = FormatReplay(report_.replay);
    if (text.size() <= kReplayLineMax) return text;
    return internal::WriteReplayFile(name_, text);
  }

  // Two runs of the same schedule differ: finds the step at which they part.
  void NotDeterministic(const Deviations& deviations) {
    if (in_child_) return;
    TraceRecorder first(simulator_);
    TraceRecorder second(simulator_);
    const OrderingScope ordering(*this, OrderingOf(deviations));
    ReplayStrategy strategy(deviations);
    simulator_.Run(body_, strategy, ProgramSeed(), &first);
    simulator_.Run(body_, strategy, ProgramSeed(), &second);
    report_.nondeterministic = true;
    const std::vector<TraceEvent>& a = first.trace().events;
    const std::vector<TraceEvent>& b = second.trace().events;
    std::size_t i = 0;
    while (i < a.size() && i < b.size() && a[i] == b[i]) ++i;
    Failure failure;
    failure.kind = FailureKind::kNotDeterministic;
    failure.signature = "not deterministic";
    failure.what = absl::StrCat("Not deterministic: two runs of ",
                                FormatDeviations(deviations));
    if (i < a.size() || i < b.size()) {
      absl::StrAppend(&failure.what, " part at step ",
                      i < a.size() ? a[i].step : b[i].step, "\nfirst   ",
                      Describe(first.trace(), i), "\nsecond  ",
                      Describe(second.trace(), i));
      failure.step = i < a.size() ? a[i].step : b[i].step;
      failure.time_ns = i < a.size() ? a[i].time_ns : b[i].time_ns;
    } else {
      absl::StrAppend(&failure.what,
                      " differed\nthe runs that looked for the place did not");
    }
    report_.failure = std::move(failure);
    report_.replay = ReplayString{.program_seed = search_.program_seed,
                                  .input = search_.input,
                                  .schedule = deviations,
                                  .check = std::nullopt};
    report_.again = internal::ReplayCommand(name_, ReplayText());
    report_.trace = Trace();
  }

  static std::string Describe(const Trace& trace, std::size_t index) {
    if (index >= trace.events.size()) return "ends";
    const TraceEvent& event = trace.events[index];
    std::string text = absl::StrCat(trace.lanes[event.lane], "  ", event.text);
    if (event.line != 0) {
      absl::StrAppend(&text, "  ", event.file, ":", event.line);
    }
    return text;
  }

  const Body& body_;
  Search search_;
  std::string name_;
  Simulator simulator_;
  Report report_;
  bool in_child_ = false;
};

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

void JudgeGoals(Report& report) {
  const auto missed =
      std::ranges::find(report.goals, std::uint64_t{0}, &GoalReport::reached);
  if (missed == report.goals.end() || report.failure.has_value()) return;
  report.incomplete = true;
  Failure failure;
  failure.kind = FailureKind::kGoal;
  failure.what =
      absl::StrCat("Sometimes \"", missed->goal, "\" was false in ",
                   report.executions == 1
                       ? "the only execution"
                       : absl::StrCat("all ", report.executions, " executions"),
                   "\n", missed->place,
                   ": the test does not test what this line says it should");
  failure.file = missed->place.substr(0, missed->place.rfind(':'));
  failure.line = missed->line;
  failure.signature = absl::StrCat("goal ", missed->place);
  report.failure = std::move(failure);
}

Report RunSearch(const Body& body, const Search& search,
                 std::string_view name) {
  return Explorer(body, search, name).RunSearch();
}

absl::StatusOr<Report> RunReplay(const Body& body, const Search& search,
                                 std::string_view name, std::string_view text) {
  const absl::StatusOr<ReplayString> replay = LoadReplay(text);
  if (!replay.ok()) return replay.status();
  if (replay->input != search.input) {
    return absl::InvalidArgumentError(
        absl::StrCat("replay string: ", WrongInput(replay->input)));
  }
  Search how = search;
  if (const auto* const run = std::get_if<StrategyRun>(&replay->schedule)) {
    if (run->strategy == "exhaustive" || run->strategy == "guided") {
      return absl::InvalidArgumentError(absl::StrCat(
          "replay string: executions of strategy \"", run->strategy,
          "\" have no number of their own: expected their deviations, as in "
          "c1/0/4:1"));
    }
    // The test's own may be one that nobody else knows.
    if (run->strategy != search.strategy ||
        run->parameters != search.strategy_parameters) {
      const absl::StatusOr<StrategyMaker> maker =
          StrategyByName(run->strategy, run->parameters);
      if (!maker.ok()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "replay string: ", std::string(maker.status().message())));
      }
      how.make_strategy = {};
      how.strategy = run->strategy;
      how.strategy_parameters = run->parameters;
    }
  }
  return Explorer(body, how, name).RunReplay(*replay);
}

std::chrono::steady_clock::time_point ShrinkDeadline(const Search& search) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point now = Clock::now();
  const std::chrono::nanoseconds left = Clock::time_point::max() - now;
  return now + std::min(left, std::chrono::nanoseconds(search.shrink_for.ns()));
}

bool ShrinkingIsOver(std::chrono::steady_clock::time_point deadline) {
  const auto now = std::chrono::steady_clock::now();
  return now >= deadline ||
         (internal::Interrupted() && now >= internal::InterruptDeadline());
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
