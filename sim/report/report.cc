#include "clotho/sim/report/report.h"

#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/failure.h"

namespace clotho::sim {
namespace {

// Whether the program under test fails in this way.
bool IsOfAFailure(FailureKind kind) {
  return kind != FailureKind::kNone && kind != FailureKind::kDiscarded &&
         kind != FailureKind::kSucceeded && kind != FailureKind::kSkipped;
}

Failure WithoutKind(Failure failure) {
  failure.kind = FailureKind::kNone;
  return failure;
}

Failure Reason(std::string what, std::string_view signature) {
  return {.kind = FailureKind::kNone,
          .what = std::move(what),
          .signature = std::string(signature)};
}

bool MayFollow(Report::Verdict before, Report::Verdict after) {
  using Verdict = Report::Verdict;
  if (before == Verdict::kPassed) return after != Verdict::kPassed;
  return before == Verdict::kFailed && after == Verdict::kNondeterministic;
}

}  // namespace

std::string_view VerdictName(Report::Verdict verdict) {
  using Verdict = Report::Verdict;
  switch (verdict) {
    case Verdict::kPassed:
      return "passed";
    case Verdict::kFailed:
      return "failed";
    case Verdict::kNondeterministic:
      return "not deterministic";
    case Verdict::kDiverged:
      return "diverged";
    case Verdict::kMisused:
      return "misuse";
    case Verdict::kGoalMissed:
      return "goal";
    case Verdict::kIncomplete:
      return "incomplete";
    case Verdict::kDiscarded:
      return "discarded";
    case Verdict::kSkipped:
      return "skipped";
  }
  return "";
}

void Report::Set(Verdict verdict, Failure failure) {
  if (!MayFollow(verdict_, verdict)) {
    throw std::logic_error(absl::StrCat(
        "a report with the verdict \"", std::string(VerdictName(verdict_)),
        "\" cannot become \"", std::string(VerdictName(verdict)), "\""));
  }
  verdict_ = verdict;
  failure_ = std::move(failure);
}

void Report::Fail(Failure failure) {
  if (!IsOfAFailure(failure.kind)) {
    throw std::logic_error(
        absl::StrCat("\"", std::string(FailureKindName(failure.kind)),
                     "\" is no kind of failure of a report"));
  }
  Set(Verdict::kFailed, std::move(failure));
}

void Report::FailAsNondeterministic(Failure difference) {
  Set(Verdict::kNondeterministic, WithoutKind(std::move(difference)));
}

void Report::LoseDeterminism() {
  if (!failure_.has_value()) {
    throw std::logic_error("a report without a failure loses nothing");
  }
  Set(Verdict::kNondeterministic, *failure_);
}

void Report::Diverge(std::string what) {
  Set(Verdict::kDiverged, Reason(std::move(what), "divergence"));
}

void Report::Misuse(std::string what) {
  Set(Verdict::kMisused, Reason(std::move(what), "misuse"));
}

void Report::MissGoal(Failure missed) {
  Set(Verdict::kGoalMissed, WithoutKind(std::move(missed)));
}

void Report::CutShort(Failure what_is_missing) {
  if (search.exhausted) {
    throw std::logic_error("an exhausted search is not cut short");
  }
  Set(Verdict::kIncomplete, WithoutKind(std::move(what_is_missing)));
}

void Report::Discard(Failure reason) {
  Set(Verdict::kDiscarded, WithoutKind(std::move(reason)));
}

void Report::Skip(Failure reason) {
  Set(Verdict::kSkipped, WithoutKind(std::move(reason)));
}

std::string_view Report::KindName() const {
  return failure_->kind == FailureKind::kNone ? VerdictName(verdict_)
                                              : FailureKindName(failure_->kind);
}

std::ostream& operator<<(std::ostream& out, const Report& report) {
  return out << report.Text();
}

}  // namespace clotho::sim
