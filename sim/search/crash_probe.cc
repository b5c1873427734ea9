#include "clotho/sim/search/crash_probe.h"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/report/trace_bytes.h"
#include "clotho/sim/report/trace_recorder.h"
#include "clotho/sim/search/crash_handler.h"
#include "clotho/sim/search/execution_runner.h"
#include "clotho/sim/search/failure_shrinker.h"
#include "clotho/sim/search/fork_run.h"
#include "clotho/sim/search/search_report.h"

namespace clotho::sim::internal {
namespace {

std::string SignatureOf(const Crash& crash) {
  return absl::StrCat("crash ", CrashText(crash), " ", crash.function);
}

}  // namespace

std::string CrashSignature(const ChildEnd& end) {
  return end.crash.has_value() ? SignatureOf(*end.crash) : "crash";
}

ChildEnd CrashProbe::Run(absl::FunctionRef<void()> run) {
  return RunInChild([&]() -> std::string {
    runner_.BecomeProbe();
    run();
    return "";
  });
}

void CrashProbe::OnCrash(const ChildEnd& end, bool shrinks, Report& report) {
  std::fputs(end.output.c_str(), stderr);  // A sanitizer's report, maybe.
  Failure failure;
  failure.kind = FailureKind::kCrash;
  failure.signature = "crash";
  if (!end.crash.has_value()) {
    failure.what =
        absl::StrCat("The process that ran the search ended: ", end.other,
                     "\nIn which execution is not known.");
    report.Fail(std::move(failure));
    return;
  }
  const Crash& found = *end.crash;
  Deviations deviations = found.deviations;
  report.shrinking.deviations_found = deviations.size();
  std::optional<Crash> crash =
      Recrash(found, deviations, OrderingOf(deviations));
  if (crash.has_value() && shrinks && runner_.search().shrink_runs_max > 0) {
    deviations = Shrink(found, report);
    crash = Recrash(found, deviations, OrderingOf(deviations));
  }
  report.replay = ReplayString{.program_seed = found.program_seed,
                               .input = runner_.search().input,
                               .schedule = deviations,
                               .check = std::nullopt};
  AddReplayCommand(runner_.name(), report);
  const bool died_again = crash.has_value();
  if (!died_again) {
    failure.what =
        absl::StrCat("Not deterministic: ", CrashText(found), " in a run of ",
                     FormatDeviations(deviations),
                     "\nanother run of the same schedule did not die of that");
    failure.signature = "not deterministic";
    crash = found;
  } else {
    failure.what =
        absl::StrCat(CrashText(*crash),
                     crash->after_last_step ? " after the last step" : "");
    failure.signature = SignatureOf(found);
    failure.function = crash->function;
    RecordUpTo(*crash, deviations, report);
  }
  failure.task = crash->task;
  failure.step = crash->step;
  failure.time_ns = crash->time_ns;
  if (died_again) {
    report.Fail(std::move(failure));
  } else {
    report.FailAsNondeterministic(std::move(failure));
  }
}

std::optional<Crash> CrashProbe::Recrash(const Crash& found,
                                         const Deviations& deviations,
                                         Ordering ordering, Deadline deadline) {
  ChildEnd end = RunInChild(
      [&]() -> std::string {
        runner_.Rerun(deviations, ordering, found.program_seed);
        return "";
      },
      deadline);
  if (!end.crash.has_value() || SignatureOf(*end.crash) != SignatureOf(found)) {
    return std::nullopt;
  }
  return std::move(end.crash);
}

Deviations CrashProbe::Shrink(const Crash& found, Report& report) {
  const auto deadline = ShrinkDeadline(runner_.search());
  // A search in FIFO ordering shrinks in it, unless what crashed was a saved
  // schedule of another ordering.
  const bool fifo_only =
      runner_.search().fifo_only &&
      Recrash(found, found.deviations, Ordering::kFifo).has_value();
  const Ordering ordering =
      fifo_only ? Ordering::kFifo : OrderingOf(found.deviations);
  const auto attempt =
      [&](const Deviations& candidate) -> std::optional<Deviations> {
    std::optional<Crash> again = Recrash(found, candidate, ordering, deadline);
    if (!again.has_value()) return std::nullopt;
    return std::move(again->deviations);
  };
  return ShrinkUntil(deadline, runner_.search(), found.deviations, attempt,
                     report);
}

void CrashProbe::RecordUpTo(const Crash& crash, const Deviations& deviations,
                            Report& report) {
  const ChildEnd end = RunInChild([&]() -> std::string {
    TraceRecorder recorder(runner_.simulator());
    // What follows is the crash.
    recorder.set_on_end(
        [&recorder] { EndChild(WriteTrace(recorder.trace())); });
    const ExecutionRunner::StopScope stop(
        runner_, crash.after_last_step ? 0 : crash.step);
    runner_.Rerun(deviations, crash.program_seed, &recorder);
    return "";
  });
  std::optional<Trace> trace;
  if (end.said.has_value()) trace = ReadTrace(*end.said);
  if (trace.has_value()) {
    report.trace = *std::move(trace);
    report.trace_hash = report.trace.Hash();
    return;
  }
  // It is not the same every time. At least the schedule is known.
  for (const Deviation& deviation : deviations) {
    report.trace.deviations.push_back({.step = deviation.step,
                                       .taken = FormatDeviations({deviation}),
                                       .fifo = ""});
  }
}

}  // namespace clotho::sim::internal
