#include "clotho/sim/strategies/reduced.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/sim/engine/profile.h"
#include "clotho/sim/engine/step_log.h"

namespace clotho::sim {
namespace {

using Kind = StepLog::Kind;

void AddTouched(StepLog::Event& all, const StepLog::Event& event) {
  all.conflicts_with_all |= event.conflicts_with_all;
  for (const Access& access : event.own) AddAccess(all.own, access);
  for (const Access& access : event.late) AddAccess(all.own, access);
}

bool Touches(const StepLog::Event& event, const Access& access) {
  return event.conflicts_with_all ||
         std::ranges::any_of(event.own, [&access](const Access& other) {
           return other.object == access.object &&
                  (other.write || access.write);
         });
}

}  // namespace

ReducedStrategy::Node& ReducedStrategy::Push() {
  if (size_ == nodes_.size()) nodes_.emplace_back();
  Node& node = nodes_[size_++];
  node.is_value = false;
  node.size = 0;
  node.chosen = 0;
  node.enabled.clear();
  node.to_try.clear();
  node.asleep.clear();
  node.tried.clear();
  node.step = {};
  return node;
}

bool ReducedStrategy::IsIn(const std::vector<Sleeper>& sleepers,
                           std::uint64_t process) {
  return std::ranges::any_of(sleepers, [process](const Sleeper& sleeper) {
    return sleeper.process == process;
  });
}

bool ReducedStrategy::Sleeps(const Node& node, std::uint64_t process) const {
  return IsIn(node.asleep, process) || IsIn(node.tried, process);
}

void ReducedStrategy::BeginExecution(Rng& rng) {
  if (!gave_up_.empty()) {
    all_.BeginExecution(rng);
    return;
  }
  ++executions_;
  made_ = 0;
  steps_.clear();
  late_seen_ = 0;
  seen_ = 0;
  visible_ = 0;
  blocked_ = false;
}

void ReducedStrategy::PutToSleep(std::vector<Sleeper>& asleep) const {
  if (steps_.empty()) return;
  const Node& last = nodes_[steps_.back()];
  const auto add = [&](const Sleeper& sleeper) {
    for (std::size_t i = seen_; i < log_.size(); ++i) {
      if (Conflict(sleeper.step, log_[i])) return;
    }
    asleep.push_back(sleeper);
  };
  for (const Sleeper& sleeper : last.asleep) add(sleeper);
  for (const Sleeper& sleeper : last.tried) add(sleeper);
}

void ReducedStrategy::WakeForLate() {
  for (; late_seen_ < log_.late().size(); ++late_seen_) {
    const StepLog::Late& late = log_.late()[late_seen_];
    std::size_t number = 0;  // Steps up to and including the maker.
    for (std::size_t i = 0; i <= late.maker; ++i) {
      number += log_[i].kind == Kind::kStep;
    }
    const auto wakes = [&late](const Sleeper& sleeper) {
      return Touches(sleeper.step, late.access);
    };
    // Those that were asleep while the maker ran, and after it.
    for (std::size_t k = number; k < steps_.size(); ++k) {
      std::erase_if(nodes_[steps_[k]].asleep, wakes);
    }
  }
}

bool ReducedStrategy::IsOver() {
  if (made_ == patience_) {
    log_.GiveUp("a polling loop that may never end");
    blocked_ = true;
  }
  return blocked_;
}

std::size_t ReducedStrategy::Choose(const ChoicePoint& point) {
  if (!gave_up_.empty()) return all_.Choose(point);
  WakeForLate();
  if (IsOver()) return 0;
  for (std::size_t i = seen_; i < log_.size(); ++i) {
    visible_ += log_[i].kind == Kind::kStep;
  }
  if (visible_ != steps_.size()) {
    log_.GiveUp("a step that did not come to run");
    blocked_ = true;
    return 0;
  }
  if (made_ < size_) {
    Node& node = nodes_[made_];
    seen_ = log_.size();
    steps_.push_back(made_++);
    // The size differs only if the program is not deterministic.
    if (node.is_value || node.chosen >= point.size()) {
      log_.GiveUp("a program that is not deterministic");
      return 0;
    }
    return node.chosen;
  }
  asleep_.clear();
  PutToSleep(asleep_);
  std::size_t chosen = 0;
  while (chosen < point.size() && IsIn(asleep_, point.ProcessOf(chosen))) {
    ++chosen;
  }
  if (chosen == point.size()) {
    if (log_.pending() == 0) {
      blocked_ = true;
      return 0;
    }
    chosen = 0;  // Accesses by bookkeeping may yet wake one of them.
  }
  Node& node = Push();
  node.size = point.size();
  node.chosen = chosen;
  for (std::size_t i = 0; i < point.size(); ++i) {
    node.enabled.push_back(point.ProcessOf(i));
  }
  node.to_try.assign(point.size(), false);
  node.to_try[chosen] = true;
  node.asleep.assign(asleep_.begin(), asleep_.end());
  seen_ = log_.size();
  steps_.push_back(made_++);
  return chosen;
}

std::uint64_t ReducedStrategy::ChooseValue(const ValueChoice& choice,
                                           Rng& rng) {
  if (!gave_up_.empty()) return all_.ChooseValue(choice, rng);
  if (IsOver()) return 0;
  if (made_ == size_) {
    Node& node = Push();
    node.is_value = true;
    node.size = choice.size;
  }
  const Node& node = nodes_[made_++];
  if (!node.is_value || node.chosen >= choice.size) {
    log_.GiveUp("a program that is not deterministic");
    return 0;
  }
  return node.chosen;
}

void ReducedStrategy::Join(std::size_t into, std::size_t from) {
  for (std::size_t w = 0; w < words_; ++w) {
    before_[into * words_ + w] |= before_[from * words_ + w];
  }
}

void ReducedStrategy::FindRaces() {
  // What follows a blocked execution was examined before.
  std::size_t count = 0;
  node_of_.clear();
  for (std::size_t step = 0; count < log_.size(); ++count) {
    const bool is_step = log_[count].kind == Kind::kStep;
    if (is_step && step == steps_.size()) break;
    node_of_.push_back(is_step ? steps_[step++] : SIZE_MAX);
  }
  words_ = (count + 63) / 64;
  before_.assign(count * words_, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const StepLog::Event& event = log_[i];
    before_[i * words_ + i / 64] |= std::uint64_t{1} << (i % 64);
    if (i == 0) continue;
    Join(i, event.enabled_by);
    if (event.kind != Kind::kBookkeeping) {
      for (std::size_t j = i; j-- > 0;) {
        if (log_[j].process == event.process &&
            log_[j].kind != Kind::kBookkeeping) {
          Join(i, j);
          break;
        }
      }
    }
    if (event.stops_timer && node_of_[i] != SIZE_MAX) TryTimer(node_of_[i]);
    races_.clear();
    // Backwards from the last one: events ordered through another event do not
    // race.
    for (std::size_t j = i; j-- > 0;) {
      if (IsBefore(j, i)) continue;
      const StepLog::Event& other = log_[j];
      if (other.kind != Kind::kBookkeeping &&
          event.kind != Kind::kBookkeeping) {
        if (!Conflict(event, other)) continue;
        races_.push_back(j);
      } else {
        // They must be ordered like their makers; otherwise the order of the
        // queue decides, which no order of steps represents.
        if (!Conflict(event.own, other.own)) continue;
        if (event.kind != other.kind) {
          log_.GiveUp(
              "a step that depends on when the runtime's bookkeeping "
              "comes to its turn");
        }
      }
      Join(i, j);
    }
    for (const std::size_t j : races_) Reverse(j, i);
  }
}

void ReducedStrategy::TryTimer(std::size_t at) {
  Node& node = nodes_[at];
  const auto timer = std::ranges::find(node.enabled, StepLog::kTime);
  if (timer != node.enabled.end()) {
    node.to_try[timer - node.enabled.begin()] = true;
  }
}

void ReducedStrategy::Reverse(std::size_t first, std::size_t second) {
  if (node_of_[first] == SIZE_MAX) return;  // Time had to pass.
  Node& node = nodes_[node_of_[first]];
  const auto place_of = [&node](std::uint64_t process) -> std::size_t {
    return std::ranges::find(node.enabled, process) - node.enabled.begin();
  };
  // What happened between them without depending on the first, followed by the
  // second: any of these events that depends on none of the others may come
  // first.
  std::size_t begin = SIZE_MAX;
  for (std::size_t k = first + 1; k <= second; ++k) {
    if (log_[k].kind == Kind::kBookkeeping) continue;
    if (k != second && IsBefore(first, k)) continue;
    bool is_initial = true;
    for (std::size_t g = first + 1; g < k && is_initial; ++g) {
      is_initial = log_[g].kind == Kind::kBookkeeping || IsBefore(first, g) ||
                   !IsBefore(g, k);
    }
    if (!is_initial) continue;
    const std::size_t place = place_of(log_[k].process);
    if (place < node.size && node.to_try[place]) return;
    if (begin == SIZE_MAX) begin = k;
  }
  const std::size_t place = place_of(log_[begin].process);
  if (place < node.size) {
    node.to_try[place] = true;
  } else if (log_[begin].process != StepLog::kTime) {
    node.to_try.assign(node.size, true);
  }
  // Otherwise no timer was set yet, and the first event, or one of its
  // consequences, set it.
}

void ReducedStrategy::EndExecution() {
  if (!gave_up_.empty()) {
    all_.EndExecution();
    return;
  }
  if (patience_ == UINT64_MAX) {
    // This execution ran in FIFO order.
    patience_ = ExhaustiveStrategy::Patience(made_);
  }
  WakeForLate();
  if (blocked_) ++repeated_;
  if (log_.unknown().empty()) FindRaces();
  if (!log_.unknown().empty()) {
    gave_up_ = log_.unknown();
    repeated_ = executions_;
    return;
  }
  size_ = made_;
  std::size_t step = 0;
  for (std::size_t i = 0; i < log_.size() && step < steps_.size(); ++i) {
    if (log_[i].kind != Kind::kStep) continue;
    AddTouched(nodes_[steps_[step++]].step, log_[i]);
  }
  for (; size_ > 0; Pop()) {
    Node& node = nodes_[size_ - 1];
    if (node.is_value) {
      if (++node.chosen < node.size) return;
      continue;
    }
    node.tried.push_back(
        {.process = node.enabled[node.chosen], .step = node.step});
    node.step = {};
    for (std::size_t i = 0; i < node.size; ++i) {
      if (!node.to_try[i] || Sleeps(node, node.enabled[i])) continue;
      node.chosen = i;
      return;
    }
  }
  done_ = true;
}

std::string ReducedStrategy::scope() const {
  if (!gave_up_.empty()) {
    const std::string scope = all_.scope();
    return absl::StrCat(scope, scope.empty() ? "" : " ",
                        "(not reduced: the program uses ", gave_up_, ")");
  }
  return "up to the order of independent steps";
}

}  // namespace clotho::sim
