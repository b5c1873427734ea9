#include "clotho/sim/history.h"

#include <cstddef>
#include <ostream>
#include <string_view>

#include "clotho/runtime/exceptions.h"

namespace clotho::sim {

std::size_t Alternatives::Pick(std::size_t count) {
  if (count == 0) throw ValueError("a model cannot pick one of 0 alternatives");
  if (at_ == choices_.size()) choices_.push_back({0, count});
  return choices_[at_++].picked;
}

bool Alternatives::Next() {
  at_ = 0;
  while (!choices_.empty()) {
    Choice& last = choices_.back();
    if (++last.picked < last.count) return true;
    choices_.pop_back();
  }
  return false;
}

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kLinearizable:
      return "linearizable";
    case Verdict::kNotLinearizable:
      return "not linearizable";
    case Verdict::kUnknown:
      return "unknown";
  }
  return "unknown";
}

std::ostream& operator<<(std::ostream& out, Verdict verdict) {
  return out << VerdictName(verdict);
}

}  // namespace clotho::sim
