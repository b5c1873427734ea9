#include "clotho/sim/report/trace_bytes.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "clotho/sim/engine/trace.h"

namespace clotho::sim::internal {
namespace {

// Writer and Reader visit the parts of a trace in the same order.
class Writer {
 public:
  void Part(const std::string& text) {
    Part(text.size());
    bytes_ += text;
  }
  template <typename T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>)
  void Part(const T& value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  // How many parts follow.
  template <typename T>
  void Size(const T& parts) {
    Part(parts.size());
  }
  void Optional(const std::optional<std::size_t>& value) {
    Part(value.has_value());
    Part(value.value_or(0));
  }
  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  void Part(std::string& text) {
    std::size_t size = 0;
    Part(size);
    if (size > bytes_.size()) return Stop();
    text = std::string(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
  }
  template <typename T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>)
  void Part(T& value) {
    if (sizeof(value) > bytes_.size()) return Stop();
    std::memcpy(&value, bytes_.data(), sizeof(value));
    bytes_.remove_prefix(sizeof(value));
  }
  template <typename T>
  void Size(T& parts) {
    std::size_t size = 0;
    Part(size);
    // Every part has at least one byte.
    if (size > bytes_.size()) return Stop();
    parts.resize(size);
  }
  void Optional(std::optional<std::size_t>& value) {
    bool is_there = false;
    std::size_t there = 0;
    Part(is_there);
    Part(there);
    if (is_there) value = there;
  }
  bool good() const { return good_ && bytes_.empty(); }

 private:
  void Stop() {
    good_ = false;
    bytes_ = {};
  }
  std::string_view bytes_;
  bool good_ = true;
};

template <typename Way, typename Frame>
  requires std::is_same_v<std::remove_const_t<Frame>, TraceFrame>
void GoOver(Way& way, Frame& frame) {
  way.Part(frame.function);
  way.Part(frame.file);
  way.Part(frame.line);
}

template <typename Way, typename TraceOrConst>
  requires std::is_same_v<std::remove_const_t<TraceOrConst>, Trace>
void GoOver(Way& way, TraceOrConst& trace) {
  way.Size(trace.lanes);
  for (auto& lane : trace.lanes) way.Part(lane);
  way.Size(trace.events);
  for (auto& event : trace.events) {
    way.Part(event.step);
    way.Part(event.time_ns);
    way.Part(event.lane);
    way.Part(event.kind);
    way.Part(event.text);
    way.Part(event.file);
    way.Part(event.line);
    way.Part(event.other);
    way.Part(event.stack);
  }
  way.Size(trace.deviations);
  for (auto& deviation : trace.deviations) {
    way.Part(deviation.step);
    way.Part(deviation.taken);
    way.Part(deviation.fifo);
  }
  way.Size(trace.steps);
  for (auto& step : trace.steps) {
    way.Part(step.step);
    way.Part(step.time_ns);
    way.Part(step.choice);
    way.Part(step.candidates);
    way.Part(step.has_timer);
    way.Part(step.taken);
    way.Size(step.named);
    for (auto& name : step.named) way.Part(name);
    way.Size(step.why);
    for (auto& why : step.why) way.Part(why);
    way.Part(step.since);
    way.Optional(step.by);
  }
  way.Size(trace.stacks);
  for (auto& stack : trace.stacks) {
    way.Size(stack);
    for (auto& frame : stack) GoOver(way, frame);
  }
  // A crash follows: no histories, and no comparison with FIFO order.
  way.Size(trace.waits);
  for (auto& wait : trace.waits) {
    way.Part(wait.task);
    way.Part(wait.background);
    way.Part(wait.what);
    way.Part(wait.since_step);
    way.Part(wait.since_ns);
    way.Size(wait.stack);
    for (auto& frame : wait.stack) GoOver(way, frame);
    GoOver(way, wait.created);
    way.Size(wait.holders);
    for (auto& holder : wait.holders) way.Part(holder);
    way.Part(wait.taken);
    GoOver(way, wait.held);
  }
  way.Size(trace.cycle);
  for (auto& task : trace.cycle) way.Part(task);
}

}  // namespace

std::string WriteTrace(const Trace& trace) {
  Writer writer;
  GoOver(writer, trace);
  return std::move(writer.bytes());
}

std::optional<Trace> ReadTrace(std::string_view bytes) {
  Reader reader(bytes);
  Trace trace;
  GoOver(reader, trace);
  if (!reader.good()) return std::nullopt;
  return trace;
}

}  // namespace clotho::sim::internal
