#include "clotho/properties/property.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
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
#include "clotho/runtime/exceptions.h"
#include "clotho/sim/explore.h"
#include "clotho/sim/failure.h"
#include "clotho/sim/internal/death.h"
#include "clotho/sim/internal/text.h"
#include "clotho/sim/random.h"
#include "clotho/sim/report.h"
#include "clotho/sim/schedule.h"
#include "gtest/gtest.h"

namespace clotho::properties::internal {
namespace {

using rc::detail::CaseResult;
using sim::Failure;
using sim::FailureKind;
using sim::Report;
using sim::Search;

// Discarded inputs, for each that is to be tried. (rapidcheck's limit.)
constexpr std::uint64_t kDiscardsMax = 10;

// What a macro of rapidcheck has thrown.
Failure Verdict(const CaseResult& result) {
  Failure failure;
  failure.what = result.description;
  switch (result.type) {
    case CaseResult::Type::Success:
      failure.kind = FailureKind::kSucceeded;
      return failure;
    case CaseResult::Type::Discard:
      failure.kind = FailureKind::kDiscarded;
      return failure;
    case CaseResult::Type::Failure:
      break;
  }
  failure.kind = FailureKind::kExpectation;
  // "path/file.cc:12:\nRC_ASSERT(a == b)\n\nExpands to:\n1 == 2".
  const std::size_t end = failure.what.find(":\n");
  const std::size_t colon = end == failure.what.npos || end == 0
                                ? end
                                : failure.what.rfind(':', end - 1);
  if (colon != failure.what.npos) {
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
  failure.origin = absl::StrCat(
      "expectation ", sim::internal::Place(failure.file, failure.line));
  return failure;
}

std::optional<Failure> Judge(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const CaseResult& result) {
    return Verdict(result);
  } catch (const rc::GenerationFailure& failure) {
    return Verdict(CaseResult(CaseResult::Type::Discard, failure.what()));
  } catch (const BaseExceptionGroup& group) {
    for (const std::exception_ptr& one : group.exceptions()) {
      if (std::optional<Failure> verdict = Judge(one)) return verdict;
    }
    return std::nullopt;
  } catch (...) {
    return std::nullopt;
  }
}

// What the body tells rapidcheck, execution by execution.
class Context final : public rc::detail::PropertyContext {
 public:
  bool reportResult(const CaseResult& result) override {
    if (result.type == CaseResult::Type::Failure) {
      ADD_FAILURE() << result.description;
    }
    return true;
  }
  std::ostream& logStream() override { return log_; }
  void addTag(std::string tag) override { tags_.push_back(std::move(tag)); }

  void Begin() {
    log_.str("");
    tags_.clear();
  }
  std::string log() const { return log_.str(); }
  const rc::detail::Tags& tags() const { return tags_; }

 private:
  std::ostringstream log_;
  rc::detail::Tags tags_;
};

class Runner {
 public:
  Runner(const Property& property, const Search& search, std::string_view name)
      : property_(property), search_(search), name_(name) {
    search_.judge = &Judge;
  }

  Report Run();
  absl::StatusOr<Report> Replay(std::string_view text);

 private:
  // An input together with the failure it leads to.
  struct Found {
    InputId id;
    Report report;
  };

  InputId NextInput() const;
  Report RunOne(Input& input, const Search& search);
  Report Explain(Found found);
  std::string InputText(const Input& input) const;

  template <typename Function>
  auto With(Input& input, const Function& run);

  const Property& property_;
  Search search_;
  const std::string_view name_;
  Context context_;
  std::uint64_t passed_ = 0;
  std::uint64_t discarded_ = 0;
  std::uint64_t discarded_in_a_row_ = 0;
};

// Small ones first. The more are discarded, the larger they get.
InputId Runner::NextInput() const {
  const std::uint64_t last = std::max<std::uint64_t>(search_.cases, 2) - 1;
  const std::uint64_t size = passed_ * search_.size_max / last;
  return {.seed = static_cast<std::uint32_t>(sim::DeriveSeed(
              search_.seed, absl::StrCat(std::string(name_), " input"),
              passed_ + discarded_)),
          .size = static_cast<std::uint32_t>(std::min<std::uint64_t>(
              search_.size_max, size + discarded_in_a_row_ / kDiscardsMax))};
}

// Calls `run` with the body of an execution, while rapidcheck is ready for it.
template <typename Function>
auto Runner::With(Input& input, const Function& run) {
  const rc::detail::ImplicitParam<rc::gen::detail::param::CurrentHandler>
      handler(&input);
  const rc::detail::ImplicitParam<rc::detail::param::CurrentPropertyContext>
      context(&context_);
  sim::internal::SetDeathInput(FormatInput(input.id()));
  auto result = run([&] {
    context_.Begin();
    return property_.body(input);
  });
  sim::internal::SetDeathInput("");
  return result;
}

Report Runner::RunOne(Input& input, const Search& search) {
  Search how = search;
  how.program_seed = input.id().seed;
  how.input = FormatInput(input.id());
  return With(input, [&](const sim::Body& body) {
    return sim::RunSearch(body, how, name_);
  });
}

Report Runner::Run() {
  Search how = search_;
  how.shrink_runs_max = 0;
  Report all;
  all.strategy = search_.strategy;
  all.seed = search_.seed;
  all.schedules = search_.schedules;
  while (passed_ < search_.cases) {
    Input input(property_.arguments, NextInput());
    Report report = RunOne(input, how);
    all.executions += report.executions;
    all.distinct_executions += report.distinct_executions;
    all.steps += report.steps;
    if (report.failure.has_value() &&
        report.failure->kind == FailureKind::kDiscarded) {
      ++discarded_in_a_row_;
      if (++discarded_ <= kDiscardsMax * search_.cases) continue;
      all.incomplete = true;
      all.failure = std::move(report.failure);
      all.failure->kind = FailureKind::kIncomplete;
      all.failure->what = absl::StrCat(
          "Gave up after ", passed_, passed_ == 1 ? " test" : " tests", ": ",
          discarded_, " inputs were discarded\nthe last one by ",
          all.failure->what);
      return all;
    }
    if (!report.passed() && report.failure->kind != FailureKind::kGoal) {
      ++passed_;  // That is its number.
      return Explain({.id = input.id(), .report = std::move(report)});
    }
    discarded_in_a_row_ = 0;
    ++passed_;
  }
  return all;
}

Report Runner::Explain(Found found) {
  const bool shrinks = !found.report.nondeterministic &&
                       !found.report.misused && !found.report.incomplete &&
                       search_.shrink_runs_max > 0;
  const std::uint64_t executions = found.report.executions;
  Input input(property_.arguments, found.id);
  Report report = std::move(found.report);
  if (const auto* const failing =
          std::get_if<sim::Deviations>(&report.replay.schedule);
      shrinks && failing != nullptr) {
    Search how = search_;
    how.first = *failing;
    how.origin = report.failure->origin;
    report = RunOne(input, how);
  }
  report.executions = executions;
  report.input = InputText(input);
  return report;
}

std::string Runner::InputText(const Input& input) const {
  std::string text;
  const auto add = [&text](const Input::Draw& draw) {
    std::ostringstream value;
    draw.tree.value().showValue(value);
    std::string name = draw.name;
    if (name.empty()) {
      std::ostringstream type;
      draw.tree.value().showType(type);
      name = type.str();
    }
    absl::StrAppend(&text, text.empty() ? "" : "\n", name, " = ", value.str());
  };
  for (const Input::Draw& draw : input.arguments()) add(draw);
  for (const Input::Draw& draw : input.draws()) add(draw);
  return text;
}

absl::StatusOr<Report> Runner::Replay(std::string_view text) {
  const absl::StatusOr<sim::ReplayString> replay = sim::LoadReplay(text);
  if (!replay.ok()) return replay.status();
  if (replay->input.empty()) {
    return absl::InvalidArgumentError(
        "replay string: a property needs an input: expected one as in "
        "c1/8f21.12/4:1");
  }
  absl::StatusOr<InputId> id = ParseInput(replay->program_seed, replay->input);
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
        "\" is of another property, or of another version of this one: a "
        "value has fewer smaller ones than it says"));
  }
  if (report.ok()) report->input = InputText(input);
  return report;
}

}  // namespace

std::vector<std::string> ParameterNames(std::string_view declarations) {
  if (declarations.empty()) return {};
  // Without the outer parentheses.
  declarations = declarations.substr(1, declarations.size() - 2);
  std::vector<std::string> names;
  std::string name;
  int depth = 0;
  bool empty = true;
  for (const char c : declarations) {
    if (c != ' ') empty = false;
    if (c == '<' || c == '(' || c == '[' || c == '{') ++depth;
    if (c == '>' || c == ')' || c == ']' || c == '}') --depth;
    const bool in_a_name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '_';
    if (c == ',' && depth == 0) {
      names.push_back(std::exchange(name, ""));
    } else if (in_a_name) {
      name += c;
    } else {
      name.clear();
    }
  }
  if (!empty) names.push_back(name);
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
  sim::internal::RunTest({.run =
                              [&](const Search& how, std::string_view name) {
                                return CheckProperty(property, how, name);
                              },
                          .replay =
                              [&](const Search& how, std::string_view name,
                                  std::string_view replay) {
                                return ReplayProperty(property, how, name,
                                                      replay);
                              }},
                         search, file, line);
}

}  // namespace clotho::properties::internal
