#include "clotho/properties/input.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "clotho/sim/engine/hash.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/search/search.h"
#include "rapidcheck.h"

namespace clotho::properties::internal {
namespace {

using sim::internal::Mix64;
using sim::internal::Simulator;

constexpr Place kDrawn = Place{1} << 31;

std::string Quote(std::string_view text) {
  constexpr std::size_t kShown = 40;
  return absl::StrCat("\"",
                      absl::CHexEscape(std::string(text.substr(0, kShown))),
                      text.size() > kShown ? "...\"" : "\"");
}

// A number in its canonical spelling.
std::optional<std::uint64_t> ReadNumber(std::string_view text, int base,
                                        std::uint64_t max) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (text.empty() || text.size() > 10) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.substr(0, base).find(c);
    if (digit == kDigits.npos) return std::nullopt;
    number = number * base + digit;
  }
  if (number > max) return std::nullopt;
  return number;
}

// Reads "0-3_1": a place and the shrinks of its value. Returns false if the
// text is invalid, or if the place does not follow those in `id`.
bool ReadShrinks(std::string_view part, InputId& id) {
  const std::size_t dash = part.find('-');
  if (dash == part.npos) return false;
  const auto place = ReadNumber(part.substr(0, dash), 16, UINT32_MAX);
  if (!place.has_value() ||
      (!id.shrinks.empty() && *place <= id.shrinks.rbegin()->first)) {
    return false;
  }
  std::vector<std::uint32_t>& shrinks = id.shrinks[static_cast<Place>(*place)];
  const std::vector<std::string> numbers =
      absl::StrSplit(std::string(part.substr(dash + 1)), '_');
  for (const std::string& number : numbers) {
    const auto shrink = ReadNumber(number, 10, kShrinkMax);
    if (!shrink.has_value()) return false;
    shrinks.push_back(static_cast<std::uint32_t>(*shrink));
  }
  return true;
}

absl::Status WrongInput(std::string_view whole, std::string_view part,
                        std::string_view what, std::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat(
      "replay string: in the input ", Quote(whole), ", ", std::string(what),
      " ", Quote(part), " is wrong: expected ", std::string(expected)));
}

}  // namespace

std::string FormatInput(const InputId& id) {
  std::string text = absl::StrCat(id.size);
  for (const auto& [place, shrinks] : id.shrinks) {
    if (shrinks.empty()) continue;
    absl::StrAppend(&text, ".", absl::Hex(place));
    char before = '-';
    for (const std::uint32_t shrink : shrinks) {
      text += std::exchange(before, '_');
      absl::StrAppend(&text, shrink);
    }
  }
  return text;
}

absl::StatusOr<InputId> ParseInput(const sim::ReplayString& replay) {
  InputId id;
  const std::string_view text = replay.input;
  if (text.empty()) {
    return absl::InvalidArgumentError(
        "replay string: a property needs an input behind the seed: expected "
        "one as in c1/8f21.12/4:1");
  }
  if (replay.program_seed > UINT32_MAX) {
    return absl::InvalidArgumentError(absl::StrCat(
        "replay string: the seed \"", absl::Hex(replay.program_seed),
        "\" is of no input: expected at most 8 digits"));
  }
  id.seed = static_cast<std::uint32_t>(replay.program_seed);
  const std::vector<std::string> parts = absl::StrSplit(std::string(text), '.');
  const auto size = ReadNumber(parts[0], 10, sim::kInputSizeMax);
  if (!size.has_value()) {
    return WrongInput(text, parts[0], "the size",
                      "a number up to 1000000, as in c1/8f21.12/4:1");
  }
  id.size = static_cast<std::uint32_t>(*size);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (!ReadShrinks(parts[i], id)) {
      return WrongInput(text, parts[i], "the part",
                        "rising places and their shrinks, as in "
                        "c1/8f21.12.0-3_1.1-4/4:1");
    }
  }
  return id;
}

Input::Input(const std::vector<ValueGen>& arguments, InputId id)
    : id_(std::move(id)) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto place = static_cast<Place>(i);
    arguments_.push_back({.place = place,
                          .name = arguments[i].name(),
                          .tree = TreeAt(place, arguments[i])});
  }
}

Input Input::Smaller(Place place, std::uint32_t shrink, ValueTree tree) const {
  Input smaller;
  smaller.id_ = id_;
  smaller.id_.shrinks[place].push_back(shrink);
  smaller.arguments_ = arguments_;
  smaller.shrunk_ = shrunk_;
  // A drawn value is generated again, since what it depends on may differ.
  if (place < arguments_.size()) {
    smaller.arguments_[place].tree = std::move(tree);
    smaller.shrunk_.insert(place);
  }
  return smaller;
}

std::vector<Value>& Input::Begin() {
  began_ = true;
  draws_.clear();
  values_.clear();
  const rc::detail::ImplicitScope scope;
  for (const Draw& argument : arguments_) {
    values_.push_back(argument.tree.value());
  }
  return values_;
}

Value Input::onGenerate(const ValueGen& gen) {
  Simulator* const simulator = Simulator::Current();
  if (simulator == nullptr) {
    throw rc::GenerationFailure(
        "a generator was used in the body of a property, but outside of its "
        "executions");
  }
  // Generators inside this one do not draw from the body.
  const rc::detail::ImplicitScope scope;
  const Place place =
      static_cast<Place>(Mix64(simulator->NewObject())) | kDrawn;
  draws_.push_back(
      {.place = place, .name = gen.name(), .tree = TreeAt(place, gen)});
  return draws_.back().tree.value();
}

bool Input::fits() const {
  return std::ranges::all_of(id_.shrinks, [this](const auto& shrink) {
    return shrunk_.contains(shrink.first) ||
           (!began_ && shrink.first >= kDrawn);
  });
}

const Input::Draw* Input::Find(Place place) const {
  for (const std::vector<Draw>* const draws : {&arguments_, &draws_}) {
    const auto found = std::ranges::find(*draws, place, &Draw::place);
    if (found != draws->end()) return &*found;
  }
  return nullptr;
}

ValueTree Input::TreeAt(Place place, const ValueGen& gen) {
  const rc::detail::ImplicitScope scope;
  const std::uint64_t seed =
      Mix64((std::uint64_t{id_.seed} << 32 | place) + 0x9e3779b97f4a7c15);
  ValueTree tree = gen(rc::Random(seed), static_cast<int>(id_.size));
  const auto path = id_.shrinks.find(place);
  if (path == id_.shrinks.end()) return tree;
  for (const std::uint32_t shrink : path->second) {
    rc::Seq<ValueTree> smaller = tree.shrinks();
    for (std::uint32_t i = 0; i < shrink; ++i) {
      if (!smaller.next()) break;
    }
    rc::Maybe<ValueTree> next = smaller.next();
    if (!next) return tree;
    tree = *std::move(next);
  }
  shrunk_.insert(place);
  return tree;
}

}  // namespace clotho::properties::internal
