#include "clotho/properties/property.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/stop_requests.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/crash_handler.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/search/failure_shrinker.h"
#include "clotho/sim/search/search_report.h"
#include "gtest/gtest.h"

namespace clotho::properties::internal {
namespace {

using rc::detail::CaseResult;
using sim::Failure;
using sim::FailureKind;
using sim::Report;
using sim::Search;

// Discarded inputs per requested input. (rapidcheck's limit.)
constexpr std::uint64_t kDiscardsMax = 10;

// Translates an exception of a rapidcheck macro.
Failure FailureOf(const CaseResult& result) {
  Failure failure;
  switch (result.type) {
    case CaseResult::Type::Success:
      failure.kind = FailureKind::kSucceeded;
      break;
    case CaseResult::Type::Discard:
      failure.kind = FailureKind::kDiscarded;
      break;
    case CaseResult::Type::Failure:
      failure.kind = FailureKind::kExpectation;
      break;
  }
  failure.what = result.description;
  // "path/file.cc:12:\nRC_ASSERT(a == b)\n\nExpands to:\n1 == 2".
  const std::size_t end = failure.what.find(":\n");
  const std::size_t colon =
      failure.what.find_last_not_of("0123456789", end - 1);
  if (end != failure.what.npos && colon < end - 1 &&
      failure.what[colon] == ':') {
    for (std::size_t i = colon + 1; i < end; ++i) {
      failure.line = failure.line * 10 + (failure.what[i] - '0');
    }
    failure.file = sim::internal::ShortFile(failure.what.substr(0, colon));
    failure.what.erase(0, end + 2);
    if (const std::size_t gap = failure.what.find("\n\n");
        gap != failure.what.npos) {
      failure.what.erase(gap, 1);
    }
  }
  failure.signature = absl::StrCat(
      "expectation ", sim::internal::Place(failure.file, failure.line));
  return failure;
}

std::optional<Failure> Judge(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const CaseResult& result) {
    return FailureOf(result);
  } catch (const rc::GenerationFailure& failure) {
    return FailureOf(CaseResult(CaseResult::Type::Discard, failure.what()));
  } catch (const BaseExceptionGroup& group) {
    for (const std::exception_ptr& one : group.exceptions()) {
      if (std::optional<Failure> verdict = Judge(one)) return verdict;
    }
    return std::nullopt;
  } catch (...) {
    return std::nullopt;
  }
}

// Receives what the body reports to rapidcheck.
class Context final : public rc::detail::PropertyContext {
 public:
  bool reportResult(const CaseResult& result) override {
    if (result.type == CaseResult::Type::Failure) {
      ADD_FAILURE() << result.description;
    }
    return true;
  }
  std::ostream& logStream() override { return log_; }
  void addTag(std::string tag) override {
    // Once per input, however often it is run.
    if (executions_ == 1) tags_.push_back(std::move(tag));
  }

  void BeginInput() {
    executions_ = 0;
    tags_.clear();
  }
  void BeginExecution() {
    ++executions_;
    log_.str("");
  }

  // Those of the current input and its last execution.
  const rc::detail::Tags& tags() const { return tags_; }
  std::string log() const { return log_.str(); }

 private:
  std::uint64_t executions_ = 0;
  rc::detail::Tags tags_;
  std::ostringstream log_;
};

// A report for a misuse that is found before anything runs.
Report Misused(std::string what) {
  Report report;
  report.Misuse(std::move(what));
  return report;
}

Coro<void> Throw(std::exception_ptr error) {
  std::rethrow_exception(std::move(error));
  co_return;
}

std::string NameOf(const Input::Draw& draw) {
  if (!draw.name.empty()) return draw.name;
  std::ostringstream type;
  draw.tree.value().showType(type);
  return type.str();
}

class Runner {
 public:
  Runner(const Property& property, const Search& search, std::string_view name)
      : property_(property), search_(search), name_(name) {
    search_.judge = &Judge;
  }

  Report Run();
  absl::StatusOr<Report> Replay(std::string_view text);

  // How many inputs had which tags.
  const rc::detail::Distribution& distribution() const { return distribution_; }

 private:
  // A failing input and its failure.
  struct Failing {
    std::unique_ptr<Input> input;
    Report report;

    const sim::Deviations* schedule() const {
      return std::get_if<sim::Deviations>(&report.replay.schedule);
    }
  };

  InputId NextInput() const;
  // Runs an input with the schedules of `search`.
  Report RunInput(Input& input, const Search& search);
  template <typename Function>
  auto With(Input& input, const Function& run);
  // Returns false if the run ends here; the result is in `all_`.
  bool RunSaved(const sim::SavedSchedule& saved);
  bool RunCase();
  void Add(const Report& report);

  // Shrinks a failing input, then its schedule.
  Report Explain(Failing found);
  void RunFailing(const Search& how, Failing& failing);
  void Shrink(Failing& failing);
  bool ShrinkAt(Place place, Failing& failing);
  bool TryToFail(Input smaller, Failing& failing);
  std::string InputText(const Input& input) const;

  const Property& property_;
  Search search_;
  const std::string_view name_;
  Context context_;
  Report all_;
  std::uint64_t passed_ = 0;
  std::uint64_t discarded_ = 0;
  std::uint64_t discarded_in_a_row_ = 0;
  rc::detail::Distribution distribution_;
  std::uint64_t shrinks_ = 0;
  std::uint64_t shrinks_tried_ = 0;
  std::chrono::steady_clock::time_point shrink_deadline_;
};

// Small inputs first. The more are discarded, the larger they get.
InputId Runner::NextInput() const {
  const std::uint64_t last = std::max<std::uint64_t>(search_.cases, 2) - 1;
  const std::uint64_t size = passed_ * search_.size_max / last;
  return {.seed = static_cast<std::uint32_t>(sim::DeriveSeed(
              search_.seed, absl::StrCat(std::string(name_), " input"),
              passed_ + discarded_)),
          .size = static_cast<std::uint32_t>(std::min<std::uint64_t>(
              search_.size_max, size + discarded_in_a_row_ / kDiscardsMax))};
}

// Calls `run` with the body of an execution, inside rapidcheck's scope.
template <typename Function>
auto Runner::With(Input& input, const Function& run) {
  const rc::detail::ImplicitParam<rc::gen::detail::param::CurrentHandler>
      handler(&input);
  const rc::detail::ImplicitParam<rc::detail::param::CurrentPropertyContext>
      context(&context_);
  context_.BeginInput();
  sim::internal::SetDeathInput(FormatInput(input.id()));
  auto result = run([&] {
    context_.BeginExecution();
    try {
      return property_.body(input);
    } catch (...) {
      return Throw(std::current_exception());
    }
  });
  sim::internal::SetDeathInput("");
  return result;
}

Report Runner::RunInput(Input& input, const Search& search) {
  Search how = search;
  how.program_seed = input.id().seed;
  how.input = FormatInput(input.id());
  return With(input, [&](const sim::Body& body) {
    return sim::RunSearch(body, how, name_);
  });
}

Report Runner::Run() {
  if (!search_.misuse.empty()) return Misused(search_.misuse);
  all_.search.strategy = search_.strategy;
  all_.search.seed = search_.seed;
  all_.search.schedules = search_.schedules;
  for (const sim::SavedSchedule& saved : std::exchange(search_.saved, {})) {
    if (!RunSaved(saved)) return std::move(all_);
  }
  while (passed_ < search_.cases && !sim::internal::Interrupted()) {
    if (!RunCase()) return std::move(all_);
  }
  all_.input.tests = passed_;
  if (sim::internal::Interrupted()) return std::move(all_);
  sim::JudgeGoals(all_);
  return std::move(all_);
}

bool Runner::RunCase() {
  Search how = search_;
  how.shrink_runs_max = 0;
  auto input = std::make_unique<Input>(property_.arguments, NextInput());
  Report report = RunInput(*input, how);
  Add(report);
  if (report.verdict() == Report::Verdict::kDiscarded) {
    ++discarded_in_a_row_;
    if (++discarded_ <= kDiscardsMax * search_.cases) return true;
    all_.CutShort(
        {.what = absl::StrCat("Gave up after ", passed_,
                              passed_ == 1 ? " test: " : " tests: ", discarded_,
                              " inputs were discarded, the last one by\n",
                              report.failure()->what),
         .file = report.failure()->file,
         .line = report.failure()->line,
         .signature = "gave up"});
    return false;
  }
  if (report.verdict() == Report::Verdict::kSkipped) {
    all_.Skip(*report.failure());
    return false;
  }
  ++passed_;
  discarded_in_a_row_ = 0;
  // Goals apply to all inputs together.
  if (report.passed() || report.verdict() == Report::Verdict::kGoalMissed) {
    if (!context_.tags().empty()) ++distribution_[context_.tags()];
    return true;
  }
  Report explained =
      Explain({.input = std::move(input), .report = std::move(report)});
  explained.drifted = std::move(all_.drifted);
  all_ = std::move(explained);
  return false;
}

// Adds the results of one input to those of all.
void Runner::Add(const Report& report) {
  all_.search.executions += report.search.executions;
  all_.search.distinct_executions += report.search.distinct_executions;
  all_.search.steps += report.search.steps;
  for (const sim::GoalReport& goal : report.goals) {
    const auto same = std::ranges::find_if(all_.goals, [&](const auto& other) {
      return other.place == goal.place && other.goal == goal.goal;
    });
    if (same == all_.goals.end()) {
      all_.goals.push_back(goal);
    } else {
      same->reached += goal.reached;
    }
  }
}

bool Runner::RunSaved(const sim::SavedSchedule& saved) {
  const absl::StatusOr<sim::ReplayString> replay =
      sim::ParseReplay(saved.replay);
  absl::StatusOr<InputId> id = replay.ok()
                                   ? ParseInput(*replay)
                                   : absl::StatusOr<InputId>(replay.status());
  if (!id.ok()) {
    all_ = Misused(absl::StrCat("sim::ReplayFirst(\"", saved.replay,
                                "\"): ", std::string(id.status().message())));
    return false;
  }
  Search how = search_;
  how.saved = {saved};
  how.schedules = 0;
  how.exhaustive = false;
  how.shrink_runs_max = 0;
  auto input = std::make_unique<Input>(property_.arguments, *std::move(id));
  Report report = RunInput(*input, how);
  Add(report);
  all_.drifted.insert(all_.drifted.end(), report.drifted.begin(),
                      report.drifted.end());
  if (!input->fits()) {
    all_.drifted.push_back(absl::StrCat(
        saved.replay, saved.place.empty() ? "" : " of ", saved.place,
        ": a value of its input has fewer smaller ones than it says"));
  }
  switch (report.verdict()) {
    case Report::Verdict::kPassed:
    case Report::Verdict::kGoalMissed:
    case Report::Verdict::kDiscarded:
      return true;
    case Report::Verdict::kSkipped:
      all_.Skip(*report.failure());
      return false;
    case Report::Verdict::kFailed:
    case Report::Verdict::kNondeterministic:
    case Report::Verdict::kDiverged:
    case Report::Verdict::kMisused:
    case Report::Verdict::kIncomplete:
      break;
  }
  Report explained =
      Explain({.input = std::move(input), .report = std::move(report)});
  explained.saved = saved;
  explained.drifted = std::move(all_.drifted);
  all_ = std::move(explained);
  return false;
}

Report Runner::Explain(Failing found) {
  const std::uint64_t executions = found.report.search.executions;
  const bool comes_back = found.schedule() != nullptr &&
                          found.report.verdict() == Report::Verdict::kFailed;
  if (comes_back && search_.shrink_runs_max > 0) {
    Shrink(found);
    Search how = search_;
    how.first = *found.schedule();
    how.signature = found.report.failure()->signature;
    RunFailing(how, found);
    // A shorter schedule may draw less. Draws that no longer happen must not
    // appear in the replay string.
    InputId id = found.input->id();
    std::erase_if(id.shrinks, [&](const auto& shrink) {
      return found.input->Find(shrink.first) == nullptr;
    });
    if (id != found.input->id() && found.schedule() != nullptr &&
        found.report.failure()->kind != FailureKind::kCrash) {
      found.input = std::make_unique<Input>(property_.arguments, std::move(id));
      how.first = *found.schedule();
      RunFailing(how, found);
    }
  }
  Report report = std::move(found.report);
  report.search.strategy = search_.strategy;
  report.search.seed = search_.seed;
  report.search.schedules = search_.schedules;
  report.search.executions = executions;
  report.input = {
      .values = InputText(*found.input), .tests = passed_, .shrinks = shrinks_};
  if (name_.empty() && !report.replay_command.empty()) {
    report.replay_command =
        absl::StrCat("in code:  properties::Replay(body, \"",
                     FormatReplay(report.replay), "\")");
  }
  return report;
}

// Explains a failure that is known to be reproducible.
void Runner::RunFailing(const Search& how, Failing& failing) {
  Report report = RunInput(*failing.input, how);
  if (report.passed() || report.failure()->signature != how.signature) {
    // It was reproduced before, in exactly the same execution.
    if (report.verdict() == Report::Verdict::kNondeterministic) {
      failing.report = std::move(report);
    } else if (failing.report.verdict() == Report::Verdict::kFailed) {
      failing.report.LoseDeterminism();
    }
    return;
  }
  failing.report = std::move(report);
  if (failing.report.failure()->kind == FailureKind::kCrash) return;
  // Runs once more, for its draws and logs.
  Search again = search_;
  again.input = FormatInput(failing.input->id());
  With(*failing.input, [&](const sim::Body& body) {
    return sim::RunReplay(body, again, name_,
                          FormatReplay(failing.report.replay));
  }).IgnoreError();
}

// Arguments first, until none can be smaller; they do not depend on each other.
// A draw in the body depends on the arguments and on earlier draws, so draws
// are shrunk in that order.
void Runner::Shrink(Failing& failing) {
  shrink_deadline_ = sim::ShrinkDeadline(search_);
  bool smaller = true;
  while (std::exchange(smaller, false)) {
    for (std::size_t i = 0; i < property_.arguments.size(); ++i) {
      if (ShrinkAt(static_cast<Place>(i), failing)) smaller = true;
    }
  }
  for (std::size_t i = 0; i < failing.input->draws().size(); ++i) {
    ShrinkAt(failing.input->draws()[i].place, failing);
  }
}

// Tries smaller values at one place until none fails.
bool Runner::ShrinkAt(Place place, Failing& failing) {
  bool shrunk = false;
  // Continues after the value that was taken last, since those before it have
  // just passed.
  std::uint32_t first = 0;
  while (true) {
    const Input::Draw* const draw = failing.input->Find(place);
    if (draw == nullptr) return shrunk;  // It is no longer drawn.
    const ValueTree tree = draw->tree;
    bool failed = false;
    const auto try_some = [&](std::uint32_t begin, std::uint32_t end) {
      rc::Seq<ValueTree> smaller = tree.shrinks();
      for (std::uint32_t i = 0; i < end; ++i) {
        rc::Maybe<ValueTree> next = smaller.next();
        if (!next) return true;
        if (i < begin) continue;
        if (shrinks_tried_ == search_.shrink_runs_max ||
            sim::ShrinkingIsOver(shrink_deadline_)) {
          return false;
        }
        failed = TryToFail(failing.input->Smaller(place, i, *std::move(next)),
                           failing);
        if (failed) {
          first = i;
          return true;
        }
      }
      return true;
    };
    if (!try_some(first, kShrinkMax + 1)) return shrunk;
    if (!failed && !try_some(0, first)) return shrunk;
    if (!failed) return shrunk;
    shrunk = true;
  }
}

// If `smaller` fails in the same way, replaces `failing`.
bool Runner::TryToFail(Input smaller, Failing& failing) {
  if (FormatInput(smaller.id()).size() > sim::kReplayTextMax) return false;
  ++shrinks_tried_;
  Search how = search_;
  how.shrink_runs_max = 0;
  how.first = *failing.schedule();
  how.signature = failing.report.failure()->signature;
  auto input = std::make_unique<Input>(std::move(smaller));
  Report report = RunInput(*input, how);
  if (report.passed() || report.failure()->signature != how.signature)
    return false;
  failing = {.input = std::move(input), .report = std::move(report)};
  ++shrinks_;
  return true;
}

std::string Runner::InputText(const Input& input) const {
  std::vector<Input::Draw> values = input.arguments();
  values.insert(values.end(), input.draws().begin(), input.draws().end());
  std::size_t width = 0;
  for (const Input::Draw& value : values) {
    width = std::max(width, NameOf(value).size());
  }
  std::vector<std::string> lines;
  for (const Input::Draw& draw : values) {
    std::string name = NameOf(draw);
    name.resize(width, ' ');
    std::ostringstream value;
    draw.tree.value().showValue(value);
    const std::string shown = value.str();
    const bool is_long = shown.find('\n') != shown.npos;
    lines.push_back(absl::StrCat(name, is_long ? " =\n  " : " = ",
                                 absl::StrReplaceAll(shown, {{"\n", "\n  "}})));
  }
  std::string log = context_.log();
  while (log.ends_with('\n')) log.pop_back();
  if (!log.empty()) lines.push_back(std::move(log));
  return absl::StrJoin(lines, "\n");
}

absl::StatusOr<Report> Runner::Replay(std::string_view text) {
  const absl::StatusOr<sim::ReplayString> replay = sim::LoadReplay(text);
  if (!replay.ok()) return replay.status();
  absl::StatusOr<InputId> id = ParseInput(*replay);
  if (!id.ok()) return id.status();
  Input input(property_.arguments, *std::move(id));
  Search how = search_;
  how.input = replay->input;
  absl::StatusOr<Report> report = With(input, [&](const sim::Body& body) {
    return sim::RunReplay(body, how, name_, text);
  });
  if (!input.fits()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "replay string: the input \"", replay->input,
        "\" does not fit this property: a value has fewer smaller ones than "
        "it says"));
  }
  if (report.ok() && !report->passed()) report->input.values = InputText(input);
  return report;
}

// In rapidcheck's format.
void TellTags(std::uint64_t cases,
              const rc::detail::Distribution& distribution) {
  if (distribution.empty()) return;
  rc::detail::SuccessResult result;
  result.numSuccess = static_cast<int>(cases);
  result.distribution = distribution;
  rc::detail::printResultMessage(result, std::cout);
  std::cout << std::endl;
}

}  // namespace

std::vector<std::string> ParameterNames(std::string_view declarations) {
  std::vector<std::string> names;
  std::string name;
  std::string open;  // Brackets.
  bool new_word = false;
  for (const char c : declarations) {
    const bool in_a_name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '_';
    if (in_a_name) {
      if (std::exchange(new_word, false)) name.clear();
      name += c;
      continue;
    }
    new_word = true;
    if (c == ' ') continue;
    // The name is the last word of a declaration.
    const bool ends = open == "(" && (c == ',' || c == ')');
    if (ends && (c == ',' || !name.empty())) names.push_back(name);
    name.clear();
    if (c == '(' || c == '[' || c == '{' || c == '<') open += c;
    if (c == ')' || c == ']' || c == '}' || (c == '>' && open.ends_with('<'))) {
      open.pop_back();
    }
  }
  return names;
}

Report CheckProperty(const Property& property, const Search& search,
                     std::string_view name) {
  return Runner(property, search, name).Run();
}

absl::StatusOr<Report> ReplayProperty(const Property& property,
                                      const Search& search,
                                      std::string_view name,
                                      std::string_view replay) {
  return Runner(property, search, name).Replay(replay);
}

void RunProperty(const Property& property, const Search& search,
                 const char* file, int line) {
  sim::internal::Searched test;
  test.run = [&](const Search& how, std::string_view name) {
    Runner runner(property, how, name);
    Report report = runner.Run();
    if (report.passed()) TellTags(how.cases, runner.distribution());
    return report;
  };
  test.replay = [&](const Search& how, std::string_view name,
                    std::string_view replay) {
    return ReplayProperty(property, how, name, replay);
  };
  sim::internal::RunTest(test, search, file, line);
}

}  // namespace clotho::properties::internal
