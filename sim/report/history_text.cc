#include "clotho/sim/report/history_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/sim/engine/assertion_failed.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/simulator.h"

namespace clotho::sim::internal {
namespace {

constexpr std::size_t kWidth = 90;  // A report has 100 columns, 10 of margin.
constexpr std::size_t kRowsMax = 14;
constexpr std::size_t kClientMax = 8;
// Used if the text does not fit into the bar.
constexpr std::size_t kLabelMax = 24;
constexpr std::size_t kOrderMax = 5;
constexpr std::size_t kStateMax = 60;
constexpr std::size_t kResultsMax = 4;
constexpr std::string_view kArrow = "  <- no order explains this";

std::string Shorten(std::string text, std::size_t size_max) {
  if (text.size() > size_max) text = text.substr(0, size_max - 3) + "...";
  return text;
}

std::string Pad(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string KeyText(std::string_view key) {
  return key.empty() ? "" : absl::StrCat("key ", std::string(key), ": ");
}

// One line per operation, from left to right in the order of events: each call
// and each return has its own column. The line above shows times or steps.
class Chart {
 public:
  explicit Chart(std::vector<HistoryRow>& rows) : rows_(rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      events_.push_back({rows[i].called, rows[i].called_at, i, false});
      if (rows[i].returned != kNever) {
        events_.push_back({rows[i].returned, rows[i].returned_at, i, true});
      }
      client_width_ = std::max(client_width_, rows[i].client.size());
    }
    std::sort(events_.begin(), events_.end(),
              [](const Event& a, const Event& b) { return a.at < b.at; });
    ChooseAxis();
    called_.resize(rows.size());
    returned_.resize(rows.size());
  }

  std::string Text() {
    Arrange(/*labels_inside=*/true);
    bool fits = end_ <= kWidth;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i].is_stuck && End(i) + kArrow.size() > kWidth) fits = false;
    }
    if (!fits) Arrange(/*labels_inside=*/false);

    std::string out;
    if (!unit_.empty()) absl::StrAppend(&out, axis_, "\n");
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      absl::StrAppend(&out, RowText(i), "\n");
    }
    return out;
  }

 private:
  struct Event {
    std::uint64_t at;
    Moment moment;
    std::size_t row;
    bool is_return;
  };

  // Time if it advanced, otherwise steps if there are any, otherwise nothing.
  void ChooseAxis() {
    const Moment first = events_.front().moment;
    std::int64_t largest = 0;
    std::int64_t unit_ns = 1'000'000'000;
    bool time_goes_on = false;
    for (const Event& event : events_) {
      const std::int64_t time_ns = event.moment.time_ns;
      time_goes_on = time_goes_on || time_ns != first.time_ns;
      largest = std::max(largest, time_ns);
      while (time_ns % unit_ns != 0) unit_ns /= 1'000;
    }
    if (time_goes_on) {
      // Nobody reads all digits of a real clock.
      if (unit_ns == 1 && largest >= 1'000'000) unit_ns = 1'000;
      unit_ns_ = unit_ns;
      unit_ = unit_ns == 1'000'000'000 ? "t(s)"
              : unit_ns == 1'000'000   ? "t(ms)"
              : unit_ns == 1'000       ? "t(us)"
                                       : "t(ns)";
    } else if (first.step != 0) {
      unit_ = "step";
    }
    client_width_ = std::max(client_width_, unit_.size()) + 2;
  }

  std::string AxisText(const Moment& moment) const {
    if (unit_.empty()) return "";
    return unit_ns_ != 0 ? absl::StrCat(moment.time_ns / unit_ns_)
                         : absl::StrCat(moment.step);
  }

  // Where the bar of a row ends.
  std::size_t End(std::size_t row) const {
    return rows_[row].returned == kNever ? end_ : returned_[row] + 1;
  }

  // Computes the columns.
  void Arrange(bool labels_inside) {
    labels_inside_ = labels_inside;
    std::size_t column = client_width_;
    std::size_t pitch = 1;
    if (!labels_inside) {
      label_width_ = 0;
      for (HistoryRow& row : rows_) {
        row.text = Shorten(std::move(row.text), kLabelMax);
        label_width_ = std::max(label_width_, row.text.size());
      }
      column += label_width_ + 2;
      pitch = std::clamp<std::size_t>(
          (kWidth - column - kArrow.size()) / events_.size(), 1, 4);
    }
    axis_ = Pad(unit_, client_width_);
    std::string label;
    for (std::size_t i = 0; i < events_.size(); ++i) {
      const Event& event = events_[i];
      if (i > 0) column += pitch;
      const std::string next = AxisText(event.moment);
      const bool has_label = i == 0 || next != label;
      if (labels_inside) {
        if (event.is_return) {
          column = std::max(
              column, called_[event.row] + rows_[event.row].text.size() + 1);
        }
        if (has_label && i > 0) column = std::max(column, axis_.size() + 1);
      }
      if (has_label && (i == 0 || column > axis_.size())) {
        axis_ = Pad(std::move(axis_), column) + next;
      }
      label = next;
      (event.is_return ? returned_ : called_)[event.row] = column;
    }
    end_ = column + 1;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i].returned != kNever) continue;
      // The bar extends beyond the last event.
      end_ = std::max(end_, column + 3);
      if (labels_inside)
        end_ = std::max(end_, called_[i] + rows_[i].text.size() + 3);
    }
  }

  std::string RowText(std::size_t i) const {
    const HistoryRow& row = rows_[i];
    std::string out = Pad(row.client, client_width_);
    if (!labels_inside_) out += row.text;
    out.resize(called_[i], ' ');
    const std::size_t room = End(i) - called_[i] - 2;
    std::string bar(room, row.is_context ? '.' : '-');
    if (labels_inside_) {
      const std::size_t spare = room - row.text.size();
      const std::string label =
          spare >= 4 ? absl::StrCat(" ", row.text, " ") : row.text;
      const std::size_t at = spare >= 4 ? 1 : spare / 2;
      bar.replace(at, label.size(), label);
    }
    const char* const end = row.is_context ? ":" : "|";
    absl::StrAppend(&out, end, bar, row.returned == kNever ? ">" : end,
                    row.is_stuck ? std::string(kArrow) : "");
    return out;
  }

  std::vector<HistoryRow>& rows_;
  std::vector<Event> events_;
  std::string unit_;
  std::int64_t unit_ns_ = 0;  // 0: the axis has steps or nothing.
  std::size_t client_width_ = 0;
  std::size_t label_width_ = 0;
  bool labels_inside_ = true;
  std::vector<std::size_t> called_;
  std::vector<std::size_t> returned_;
  std::size_t end_ = 0;
  std::string axis_;
};

// "after [Put(x, 1), Get(x) -> 1] the model holds 1; Get(x) must return 1".
std::string Reason(const HistoryDrawing& drawing) {
  std::vector<std::string> order = drawing.order;
  if (order.size() > kOrderMax) {
    const std::size_t dropped = order.size() - kOrderMax;
    order.erase(order.begin(), order.begin() + dropped);
    order.insert(order.begin(), absl::StrCat("... ", dropped, " more"));
  }
  std::vector<std::string> results;
  for (const std::string& result : drawing.right_results) {
    const std::string text = result.empty() ? "nothing" : Shorten(result, 30);
    if (std::find(results.begin(), results.end(), text) != results.end()) {
      continue;
    }
    if (results.size() == kResultsMax) {
      results.back() = "something else";
      break;
    }
    results.push_back(text);
  }
  return Wrap(
      absl::StrCat(
          order.empty()
              ? "at first"
              : absl::StrCat("after [", absl::StrJoin(order, ", "), "]"),
          " the model holds ", Shorten(drawing.state, kStateMax), "; ",
          drawing.stuck, " must return ", absl::StrJoin(results, " or ")),
      kWidth, /*indent=*/2);
}

}  // namespace

Moment Now() {
  if (const Simulator* const simulator = Simulator::Current()) {
    return {simulator->now_ns(), simulator->step()};
  }
  if (const EventLoop* const loop = clotho::internal::running_loop) {
    return {CoreOf(*loop).NowNs(), 0};
  }
  return {};
}

std::string OperationText(std::string_view operation, std::string_view result) {
  std::string text(operation);
  if (!result.empty()) absl::StrAppend(&text, " -> ", std::string(result));
  return text;
}

std::string Draw(HistoryDrawing drawing) {
  std::vector<HistoryRow>& rows = drawing.rows;
  const std::size_t count = rows.size();
  std::string out =
      absl::StrCat("History \"", drawing.history, "\" is not linearizable (",
                   KeyText(drawing.key), drawing.order.size(), " of ", count,
                   count == 1 ? " operation fits)" : " operations fit)");
  out = absl::StrCat(Wrap(out, kWidth, /*indent=*/2), "\n");

  std::sort(rows.begin(), rows.end(),
            [](const HistoryRow& a, const HistoryRow& b) {
              return a.called < b.called;
            });
  // Drops the oldest rows, but never the one that does not fit.
  for (std::size_t i = 0; rows.size() > kRowsMax;) {
    if (rows[i].is_stuck) ++i;
    rows.erase(rows.begin() + i);
  }
  const std::size_t hidden = count - rows.size();
  bool has_context = false;
  for (HistoryRow& row : rows) {
    row.client = Shorten(std::move(row.client), kClientMax);
    has_context = has_context || row.is_context;
  }
  if (hidden > 0) absl::StrAppend(&out, "(", hidden, " earlier ones)\n");
  absl::StrAppend(&out, Chart(rows).Text(), Reason(drawing));
  if (has_context) {
    absl::StrAppend(
        &out,
        "\ndotted: when it took effect and what it returned do not matter");
  }
  if (drawing.operations > count) {
    const std::size_t others = drawing.operations - count;
    absl::StrAppend(
        &out, "\n(", others,
        others == 1 ? " other operation does" : " other operations do",
        " not matter)");
  }
  if (!drawing.minimal) {
    absl::StrAppend(&out,
                    "\n(there may be a shorter part that is wrong: the search "
                    "for it was given up)");
  }
  return out;
}

std::string UnknownText(std::string_view history, std::string_view key,
                        std::size_t operations, std::uint64_t steps_max) {
  return Wrap(
      absl::StrCat("History \"", std::string(history), "\" is undecided (",
                   KeyText(key), operations, " operations): ", steps_max,
                   " steps were not enough to find an order of its operations, "
                   "or that there is none\n(a test that needs more says so: "
                   "sim::HistoryOptions{.steps_max = ...})"),
      kWidth, /*indent=*/2);
}

bool IsRead() {
  const Simulator* const simulator = Simulator::Current();
  return simulator == nullptr || simulator->is_observed();
}

void FailHistory(TraceHistory shown, const std::string& explanation,
                 const std::source_location& location) {
  Simulator* const simulator = Simulator::Current();
  if (simulator == nullptr) throw RuntimeError(explanation);
  Failure failure;
  failure.kind = FailureKind::kHistory;
  failure.what = explanation;
  failure.function = FunctionName(location.function_name());
  failure.file = ShortFile(location.file_name());
  failure.line = location.line();
  // Without the operations: another order of the same calls is the same
  // failure.
  failure.signature = absl::StrCat(
      shown.undecided ? "undecided " : "not linearizable ", shown.name);
  simulator->ShowHistory(std::move(shown));
  simulator->Fail(std::move(failure));
  throw AssertionFailed();
}

void ThrowEnded() {
  throw RuntimeError("this operation of the history has already ended");
}

}  // namespace clotho::sim::internal
