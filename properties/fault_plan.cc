#include "clotho/properties/fault_plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <ostream>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "clotho/properties/arbitrary.h"
#include "clotho/runtime/exceptions.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

std::string_view KindName(Fault::Kind kind) {
  switch (kind) {
    case Fault::kNone:
      return "none";
    case Fault::kFail:
      return "fail";
    case Fault::kDrop:
      return "drop";
    case Fault::kDelay:
      return "delay";
    case Fault::kRepeat:
      return "repeat";
  }
  return "unknown";
}

}  // namespace

FaultPlan::FaultPlan(const std::vector<Fault>& faults) {
  std::map<std::uint32_t, Fault> by_call;  // The first for each call.
  for (const Fault& fault : faults) by_call.emplace(fault.call, fault);
  for (const auto& [call, fault] : by_call) faults_.push_back(fault);
}

Fault FaultPlan::Next() {
  const std::uint32_t call = calls_++;
  const auto fault = std::ranges::lower_bound(faults_, call, {}, &Fault::call);
  if (fault != faults_.end() && fault->call == call) return *fault;
  return {.call = call};
}

std::ostream& operator<<(std::ostream& out, const Fault& fault) {
  out << "call " << fault.call << ": " << KindName(fault.kind);
  if (fault.kind == Fault::kDelay) out << " " << fault.delay.ToString();
  return out;
}

std::ostream& operator<<(std::ostream& out, const FaultPlan& plan) {
  std::string_view before = "{";
  for (const Fault& fault : plan.faults()) {
    out << std::exchange(before, ", ") << fault;
  }
  return out << (plan.faults().empty() ? "{}" : "}");
}

rc::Gen<FaultPlan> FaultPlans(FaultLimits limits) {
  if (limits.kinds.empty() || limits.calls_max == 0) {
    throw ValueError("FaultPlans: expected at least one kind and one call");
  }
  using Drawn = std::tuple<std::uint32_t, std::size_t, Delay>;
  const auto fault = rc::gen::tuple(
      rc::gen::inRange<std::uint32_t>(0, limits.calls_max),
      rc::gen::resize(rc::kNominalSize,
                      rc::gen::inRange<std::size_t>(0, limits.kinds.size())),
      rc::gen::arbitrary<Delay>());
  // Only the number of faults stays small; calls and delays grow with the size.
  const auto faults = rc::gen::withSize([fault, limits](int size) {
    const int faults_max = static_cast<int>(limits.faults_max);
    return rc::gen::resize(
        std::min(size, faults_max),
        rc::gen::container<std::vector<Drawn>>(rc::gen::resize(size, fault)));
  });
  return rc::gen::map(faults, [limits](const std::vector<Drawn>& drawn) {
    std::vector<Fault> plan;
    for (const auto& [call, kind, delay] : drawn) {
      const Fault::Kind chosen = limits.kinds[kind];
      plan.push_back({.call = call,
                      .kind = chosen,
                      .delay = chosen == Fault::kDelay ? delay : Delay()});
    }
    return FaultPlan(std::move(plan));
  });
}

}  // namespace clotho::properties
