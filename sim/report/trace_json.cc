#include "clotho/sim/report/trace_json.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/report/findings.h"
#include "clotho/sim/report/findings_text.h"
#include "clotho/sim/report/report.h"
#include "nlohmann/json.hpp"

namespace clotho::sim {
namespace {

// Members keep the order in which they are written.
using Json = nlohmann::ordered_json;
using Kind = TraceEvent::Kind;

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kStart:
      return "start";
    case Kind::kResume:
      return "resume";
    case Kind::kSpawn:
      return "spawn";
    case Kind::kWake:
      return "wake";
    case Kind::kAwait:
      return "await";
    case Kind::kReturn:
      return "return";
    case Kind::kRaise:
      return "raise";
    case Kind::kCancelled:
      return "cancelled";
    case Kind::kFailure:
      return "failure";
    case Kind::kTimer:
      return "timer";
    case Kind::kRead:
      return "read";
    case Kind::kWrite:
      return "write";
    case Kind::kChoice:
      return "choice";
  }
  return "";
}

// One line of ASCII. Names and messages may contain any bytes: invalid UTF-8
// becomes U+FFFD.
std::string Dump(const Json& json) {
  return json.dump(/*indent=*/-1, /*indent_char=*/' ', /*ensure_ascii=*/true,
                   Json::error_handler_t::replace);
}

// An array with one line per element, built element by element: a long trace
// takes no more memory than its text.
class Lines {
 public:
  explicit Lines(std::string* text) : text_(text) { *text_ += "["; }
  void Add(const Json& element) {
    absl::StrAppend(text_, is_first_ ? "\n  " : ",\n  ", Dump(element));
    is_first_ = false;
  }
  void End() { *text_ += "\n]"; }

 private:
  std::string* const text_;
  bool is_first_ = true;
};

void AddPlace(const TraceEvent& event, Json& json) {
  if (event.line == 0) return;
  json["file"] = event.file;
  json["line"] = event.line;
}

bool HasOther(const TraceEvent& event) {
  return event.kind == Kind::kSpawn || event.kind == Kind::kWake;
}

Json FrameJson(const TraceFrame& frame) {
  Json json = Json::object();
  if (!frame.function.empty()) json["function"] = frame.function;
  if (frame.line == 0) return json;
  json["file"] = frame.file;
  json["line"] = frame.line;
  return json;
}

Json StackJson(const std::vector<TraceFrame>& stack) {
  Json json = Json::array();
  for (const TraceFrame& frame : stack) json.push_back(FrameJson(frame));
  return json;
}

Json WaitJson(const TraceWait& wait) {
  Json json = {{"task", wait.task}};
  if (wait.background) json["background"] = true;
  if (!wait.what.empty()) json["what"] = wait.what;
  if (wait.since_step != 0) {
    json["since_step"] = wait.since_step;
    json["since_ns"] = wait.since_ns;
  }
  if (!wait.stack.empty()) json["stack"] = StackJson(wait.stack);
  if (wait.created.line != 0) json["created"] = FrameJson(wait.created);
  if (!wait.holders.empty()) json["holders"] = wait.holders;
  if (wait.taken) json["taken"] = true;
  if (wait.held.line != 0) json["held"] = FrameJson(wait.held);
  return json;
}

Json OperationJson(const TraceHistory::Operation& operation) {
  Json json = {{"client", operation.client},
               {"text", operation.text},
               {"called", operation.called}};
  if (operation.returned.has_value()) json["returned"] = *operation.returned;
  if (operation.called_step != 0) json["called_step"] = operation.called_step;
  if (operation.returned_step != 0) {
    json["returned_step"] = operation.returned_step;
  }
  json["called_ns"] = operation.called_ns;
  if (operation.returned.has_value()) {
    json["returned_ns"] = operation.returned_ns;
  }
  if (operation.in_part) json["part"] = true;
  if (operation.in_context) json["context"] = true;
  if (operation.stuck) json["stuck"] = true;
  return json;
}

Json HistoryJson(const TraceHistory& history) {
  Json json = {{"name", history.name}};
  if (!history.key.empty()) json["key"] = history.key;
  if (history.undecided) json["undecided"] = true;
  Json& operations = json["operations"] = Json::array();
  for (const TraceHistory::Operation& operation : history.operations) {
    operations.push_back(OperationJson(operation));
  }
  if (!history.order.empty()) json["order"] = history.order;
  if (!history.state.empty()) json["state"] = history.state;
  if (!history.right_results.empty()) {
    json["right_results"] = history.right_results;
  }
  return json;
}

Json FailedJson(const Report& report) {
  const Failure& failure = *report.failure();
  Json json = {{"kind", report.KindName()},
               {"step", failure.step},
               {"time_ns", failure.time_ns}};
  if (!failure.task.empty()) json["task"] = failure.task;
  if (!failure.function.empty()) json["function"] = failure.function;
  if (failure.line != 0) {
    json["file"] = failure.file;
    json["line"] = failure.line;
  }
  return json;
}

Json SearchJson(const Report& report) {
  const SearchStats& search = report.search;
  const Findings& found = report.found;
  Json json = Json::object();
  if (!search.strategy.empty()) json["strategy"] = search.strategy;
  json["seed"] = search.seed;
  json["schedules"] = search.schedules;
  json["executions"] = search.executions;
  json["deviations_found"] = report.shrinking.deviations_found;
  json["shrink_runs"] = report.shrinking.runs;
  json["minimal"] = report.shrinking.minimal;
  if (found.turning_point.has_value()) {
    json["turning_point"] = internal::TurningPointText(*found.turning_point);
  }
  if (found.nearest_pass.has_value()) {
    json["nearest_pass"] = internal::NearestPassText(*found.nearest_pass);
  }
  if (found.reachability.has_value()) {
    json["reachable"] = internal::ReachabilityText(*found.reachability);
  }
  return json;
}

// The candidates of a step, if there was a choice.
void AddChoice(const TraceStep& step, Json& json) {
  if (step.candidates < 2) return;
  json["choice"] = step.choice;
  json["candidates"] = step.candidates;
  if (step.has_timer) json["timer"] = true;
  json["named"] = step.named;
}

Json DeviationJson(const DeviationText& deviation) {
  return {{"step", deviation.step},
          {"taken", deviation.taken},
          {"fifo", deviation.fifo}};
}

Json StepJson(const TraceStep& step) {
  Json json = {
      {"step", step.step}, {"time_ns", step.time_ns}, {"taken", step.taken}};
  AddChoice(step, json);
  if (!step.why.empty()) json["why"] = step.why;
  if (step.since != 0) json["since"] = step.since;
  if (step.by.has_value()) json["by"] = *step.by;
  return json;
}

Json EventJson(const TraceEvent& event) {
  Json json = {{"step", event.step},
               {"time_ns", event.time_ns},
               {"lane", event.lane},
               {"kind", KindName(event.kind)},
               {"text", event.text}};
  AddPlace(event, json);
  if (HasOther(event)) json["other"] = event.other;
  if (event.stack != 0) json["stack"] = event.stack - 1;
  return json;
}

Json FifoStepJson(const FifoStep& step) {
  return {{"step", step.step},
          {"time_ns", step.time_ns},
          {"task", step.task},
          {"taken", step.taken}};
}

Json GoalJson(const GoalReport& goal) {
  return {
      {"goal", goal.goal}, {"place", goal.place}, {"reached", goal.reached}};
}

// Writes the members of the object one after the other.
class TraceWriter {
 public:
  std::string Write(const Trace& trace, const TraceTitle& title) {
    Text("test", title.test);
    Text("replay", title.replay);
    Text("failure", title.failure);
    if (title.report != nullptr) AddReport(*title.report);
    Add("lanes", trace.lanes);
    List("deviations", trace.deviations, DeviationJson);
    List("steps", trace.steps, StepJson);
    List("events", trace.events, EventJson);
    ListIfAny("stacks", trace.stacks, StackJson);
    ListIfAny("waits", trace.waits, WaitJson);
    if (!trace.cycle.empty()) Add("cycle", trace.cycle);
    ListIfAny("histories", trace.histories, HistoryJson);
    if (trace.fifo.has_value()) AddFifoRun(*trace.fifo);
    text_ += "\n}\n";
    return std::move(text_);
  }

 private:
  void AddReport(const Report& report) {
    if (!report.passed()) Add("failed", FailedJson(report));
    Text("input", report.input.values);
    if (report.found.race.has_value()) {
      Text("race", internal::RaceText(*report.found.race));
    }
    Text("replay_command", report.replay_command);
    Add("search", SearchJson(report));
    ListIfAny("goals", report.goals, GoalJson);
  }

  void AddFifoRun(const FifoRun& run) {
    text_ += ",\n\"fifo\":{";
    if (!run.failure.empty()) {
      absl::StrAppend(&text_, "\"failure\":", Dump(run.failure), ",");
    }
    if (run.left_out != 0) {
      absl::StrAppend(&text_, "\"left_out\":", run.left_out, ",");
    }
    text_ += "\"steps\":";
    Elements(run.steps, FifoStepJson);
    text_ += "}";
  }

  void Name(std::string_view name) {
    absl::StrAppend(&text_, ",\n\"", std::string(name), "\":");
  }
  void Add(std::string_view name, const Json& value) {
    Name(name);
    text_ += Dump(value);
  }
  // Nothing if `value` is empty.
  void Text(std::string_view name, const std::string& value) {
    if (!value.empty()) Add(name, value);
  }
  template <typename Range, typename ToJson>
  void List(std::string_view name, const Range& elements,
            const ToJson& to_json) {
    Name(name);
    Elements(elements, to_json);
  }
  template <typename Range, typename ToJson>
  void ListIfAny(std::string_view name, const Range& elements,
                 const ToJson& to_json) {
    if (!elements.empty()) List(name, elements, to_json);
  }
  template <typename Range, typename ToJson>
  void Elements(const Range& elements, const ToJson& to_json) {
    Lines lines(&text_);
    for (const auto& element : elements) lines.Add(to_json(element));
    lines.End();
  }

  std::string text_ = "{\"clotho_trace\":1";
};

}  // namespace

std::string TraceJson(const Trace& trace, const TraceTitle& title) {
  return TraceWriter().Write(trace, title);
}

namespace {

// Viewers are slow with more steps, and the failure is at the end.
constexpr std::uint64_t kStepsDrawn = 10'000;

// The one process; a simulated program has no others.
constexpr int kPid = 1;

class ChromeTrace {
 public:
  ChromeTrace(const Trace& trace, const TraceTitle& title)
      : trace_(trace), title_(title) {
    for (const TraceEvent& event : trace.events) {
      last_step_ = std::max(last_step_, event.step);
    }
    if (last_step_ > kStepsDrawn) first_step_ = last_step_ - kStepsDrawn + 1;
  }

  std::string Write() {
    text_ = "{\"displayTimeUnit\":\"ns\",\"otherData\":";
    Json other = {{"clotho_trace", "1"}};
    if (!title_.test.empty()) other["test"] = title_.test;
    if (!title_.replay.empty()) other["replay"] = title_.replay;
    if (!title_.failure.empty()) other["failure"] = title_.failure;
    if (first_step_ > 1) {
      other["drawn"] = absl::StrCat("steps ", first_step_, " to ", last_step_);
    }
    absl::StrAppend(&text_, Dump(other), ",\n\"traceEvents\":");
    Lines lines(&text_);
    lines_ = &lines;
    Names();
    Steps();
    Events();
    lines.End();
    text_ += "}\n";
    return std::move(text_);
  }

 private:
  // One microsecond per step. Within it, the slice comes first, then what the
  // step does, then the arrows that leave it.
  static double At(std::uint64_t step, double part = 0) {
    return static_cast<double>(step) + part;
  }
  static std::size_t Tid(std::size_t lane) { return lane + 1; }

  void Names() {
    const std::string process = title_.test.empty() ? "execution" : title_.test;
    lines_->Add({{"ph", "M"},
                 {"pid", kPid},
                 {"name", "process_name"},
                 {"args", {{"name", process}}}});
    for (std::size_t lane = 0; lane < trace_.lanes.size(); ++lane) {
      // Not all viewers show a thread without a name.
      const std::string& name = trace_.lanes[lane];
      lines_->Add({{"ph", "M"},
                   {"pid", kPid},
                   {"tid", Tid(lane)},
                   {"name", "thread_name"},
                   {"args", {{"name", name == "-" ? "callbacks" : name}}}});
      lines_->Add({{"ph", "M"},
                   {"pid", kPid},
                   {"tid", Tid(lane)},
                   {"name", "thread_sort_index"},
                   {"args", {{"sort_index", lane}}}});
    }
  }

  void Steps() {
    for (const TraceStep& step : trace_.steps) {
      if (step.step < first_step_) continue;
      steps_[step.step] = &step;
      lines_->Add(
          {{"ph", "C"},
           {"pid", kPid},
           {"name", "ready"},
           {"ts", At(step.step)},
           {"args", {{"tasks", step.candidates - (step.has_timer ? 1 : 0)}}}});
    }
    for (const DeviationText& deviation : trace_.deviations) {
      if (deviation.step < first_step_) continue;
      deviations_[deviation.step] = &deviation;
    }
  }

  void Events() {
    for (const TraceEvent& event : trace_.events) {
      if (event.step < first_step_) continue;
      switch (event.kind) {
        case Kind::kStart:
        case Kind::kResume:
          Slice(event);
          break;
        case Kind::kSpawn:
        case Kind::kWake:
          // Arrows and marks.
          Mark(event, "t");
          arrows_[event.other].push_back(event);
          break;
        case Kind::kFailure:
          Mark(event, "g");
          break;
        case Kind::kTimer:
          Mark(event, "p");
          break;
        case Kind::kAwait:
        case Kind::kReturn:
        case Kind::kRaise:
        case Kind::kCancelled:
        case Kind::kRead:
        case Kind::kWrite:
        case Kind::kChoice:
          Mark(event, "t");
          break;
      }
    }
    // The remaining deviations belong to no step of a task: decisions of the
    // environment, and time that passes.
    for (const auto& [step, deviation] : deviations_) {
      DeviationMark(*deviation, /*lane=*/0);
    }
  }

  // A task's step. An eager task's step is inside another's.
  void Slice(const TraceEvent& event) {
    if (!sliced_.insert({event.step, event.lane}).second) return;
    Json args = {{"step", event.step}, {"virtual_ns", event.time_ns}};
    AddPlace(event, args);
    if (const auto step = steps_.find(event.step); step != steps_.end()) {
      AddChoice(*step->second, args);
    }
    std::string name = event.text;
    if (event.line != 0)
      absl::StrAppend(&name, " ", event.file, ":", event.line);
    lines_->Add({{"ph", "X"},
                 {"pid", kPid},
                 {"tid", Tid(event.lane)},
                 {"ts", At(event.step)},
                 {"dur", 1},
                 {"cat", "step"},
                 {"name", name},
                 {"args", std::move(args)}});
    if (const auto at = deviations_.find(event.step); at != deviations_.end()) {
      DeviationMark(*at->second, event.lane);
      deviations_.erase(at);
    }
    const auto arrows = arrows_.find(event.lane);
    if (arrows == arrows_.end()) return;
    for (const TraceEvent& from : arrows->second) Arrow(from, event);
    arrows_.erase(arrows);
  }

  void Arrow(const TraceEvent& from, const TraceEvent& to) {
    const std::uint64_t id = ++last_arrow_;
    const std::string_view name = from.kind == Kind::kSpawn ? "spawn" : "wake";
    lines_->Add({{"ph", "s"},
                 {"pid", kPid},
                 {"tid", Tid(from.lane)},
                 {"ts", At(from.step, 0.75)},
                 {"id", id},
                 {"cat", "flow"},
                 {"name", name}});
    // The arrow ends at the slice that encloses it: for an eager task, in the
    // step in which it began.
    lines_->Add({{"ph", "f"},
                 {"bp", "e"},
                 {"pid", kPid},
                 {"tid", Tid(to.lane)},
                 {"ts", At(to.step, to.step == from.step ? 0.875 : 0)},
                 {"id", id},
                 {"cat", "flow"},
                 {"name", name}});
  }

  // Scope "t": a task; "p": the program; "g": everything.
  void Mark(const TraceEvent& event, std::string_view scope) {
    Json args = {{"step", event.step}, {"virtual_ns", event.time_ns}};
    AddPlace(event, args);
    lines_->Add({{"ph", "i"},
                 {"pid", kPid},
                 {"tid", Tid(event.lane)},
                 {"ts", At(event.step, 0.5)},
                 {"s", scope},
                 {"cat", KindName(event.kind)},
                 {"name", event.text},
                 {"args", std::move(args)}});
  }

  void DeviationMark(const DeviationText& deviation, std::size_t lane) {
    lines_->Add(
        {{"ph", "i"},
         {"pid", kPid},
         {"tid", Tid(lane)},
         {"ts", At(deviation.step)},
         {"s", "p"},
         {"cat", "deviation"},
         {"name", absl::StrCat("deviation: ", deviation.taken)},
         {"args", {{"step", deviation.step}, {"fifo", deviation.fifo}}}});
  }

  const Trace& trace_;
  const TraceTitle& title_;
  std::uint64_t first_step_ = 1;
  std::uint64_t last_step_ = 0;
  std::string text_;
  Lines* lines_ = nullptr;
  std::map<std::uint64_t, const TraceStep*> steps_;
  // Those that are not marked yet.
  std::map<std::uint64_t, const DeviationText*> deviations_;
  std::set<std::pair<std::uint64_t, std::size_t>> sliced_;
  // By target lane, until that lane takes a step.
  std::map<std::size_t, std::vector<TraceEvent>> arrows_;
  std::uint64_t last_arrow_ = 0;
};

}  // namespace

std::string ChromeTraceJson(const Trace& trace, const TraceTitle& title) {
  return ChromeTrace(trace, title).Write();
}

}  // namespace clotho::sim
