#include "clotho/sim/engine/profile.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace clotho::sim {

bool Conflict(const Footprint& a, const Footprint& b) {
  auto i = a.begin();
  auto j = b.begin();
  while (i != a.end() && j != b.end()) {
    if (i->object == j->object) {
      if (i->write || j->write) return true;
      ++i;
      ++j;
    } else if (i->object < j->object) {
      ++i;
    } else {
      ++j;
    }
  }
  return false;
}

std::uint64_t Profile::StepsWithin(std::uint64_t path) const {
  const auto it = steps_within_.find(path);
  return it == steps_within_.end() ? 1 : it->second;
}

const Footprint* Profile::FootprintOf(std::uint64_t path,
                                      std::uint64_t step) const {
  const auto it = footprints_.find({path, step});
  return it == footprints_.end() ? nullptr : &it->second;
}

std::uint64_t Profile::StepsTouching(std::uint64_t object,
                                     std::uint64_t path) const {
  const auto it = steps_touching_.find({object, path});
  return it == steps_touching_.end() ? 0 : it->second;
}

void Profile::Add(std::span<const Step> steps, std::span<const Lineage> chains,
                  std::uint64_t choice_points) {
  steps_ = std::max<std::uint64_t>(steps_, steps.size());
  choice_points_ = std::max(choice_points_, choice_points);
  chains_ = std::max<std::uint64_t>(chains_, chains.size());

  std::vector<std::uint64_t> within(chains.size(), 0);
  std::map<std::uint64_t, std::vector<std::uint64_t>> touching;
  for (const Step& step : steps) {
    ++within[step.chain];
    Footprint& known = footprints_[{chains[step.chain].path, step.number}];
    for (const Access& access : step.footprint) {
      std::vector<std::uint64_t>& counts = touching[access.object];
      counts.resize(chains.size(), 0);
      ++counts[step.chain];
      const auto at = std::lower_bound(
          known.begin(), known.end(), access.object,
          [](const Access& a, std::uint64_t o) { return a.object < o; });
      if (at == known.end() || at->object != access.object) {
        known.insert(at, access);
      } else {
        at->write = at->write || access.write;
      }
    }
  }
  // A chain has a greater number than the one that created it.
  const auto sum_up = [chains](std::vector<std::uint64_t>& counts) {
    for (std::size_t i = counts.size(); i-- > 1;) {
      const std::uint32_t parent = chains[i].parent;
      if (parent < i) counts[parent] += counts[i];
    }
  };
  sum_up(within);
  for (std::size_t i = 0; i < chains.size(); ++i) {
    std::uint64_t& most = steps_within_[chains[i].path];
    most = std::max(most, within[i]);
  }
  for (auto& [object, counts] : touching) {
    sum_up(counts);
    for (std::size_t i = 0; i < chains.size(); ++i) {
      if (counts[i] == 0) continue;
      std::uint64_t& most = steps_touching_[{object, chains[i].path}];
      most = std::max(most, counts[i]);
    }
  }

  // An object is shared if two chains touch it and one of them writes it, in
  // any execution so far.
  struct Users {
    std::uint64_t first = 0;
    bool several = false;
    bool written = false;
  };
  std::map<std::uint64_t, Users> users;
  for (const auto& [moment, footprint] : footprints_) {
    for (const Access& access : footprint) {
      const auto [it, is_new] =
          users.try_emplace(access.object, Users{.first = moment.path});
      it->second.several |= !is_new && it->second.first != moment.path;
      it->second.written |= access.write;
    }
  }
  shared_objects_.clear();
  for (const auto& [object, use] : users) {
    if (use.several && use.written) shared_objects_.push_back(object);
  }
}

}  // namespace clotho::sim
