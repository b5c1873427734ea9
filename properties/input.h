// Input: what rapidcheck makes for one test case, arguments and values that the
// body draws (`*gen`).
//
// Every value is a function of the input's seed, of its size, of the place at
// which it is drawn, and of the way that was taken to a smaller one. So an
// input can be written down, and is the same in each execution of a test case:
// a place is the n-th draw of a task, whatever the others do before it.

#ifndef CLOTHO_PROPERTIES_INPUT_H_
#define CLOTHO_PROPERTIES_INPUT_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "clotho/sim/engine/schedule.h"
#include "rapidcheck.h"

namespace clotho::properties::internal {

using Value = rc::detail::Any;
using ValueGen = rc::Gen<Value>;
// A value, and those that rapidcheck tries in place of it.
using ValueTree = rc::Shrinkable<Value>;

// A place at which a value is drawn. Arguments are numbered from 0; of draws in
// the body, the highest bit is set.
using Place = std::uint32_t;

// What there is to know of an input.
struct InputId {
  std::uint32_t seed = 0;
  std::uint32_t size = 0;
  // Of each place whose value was shrunk: which of the smaller values was
  // taken, which of those that are smaller than that, and so on.
  std::map<Place, std::vector<std::uint32_t>> shrinks = {};

  friend bool operator==(const InputId&, const InputId&) = default;
};

// The input in a replay string, behind the seed:
//
//   input  := size { "." place "-" shrink { "_" shrink } }
//
//   size    decimal, at most 1000000
//   place   hexadecimal, rising
//   shrink  decimal, at most 1000000
//
// An error quotes the part that is wrong.
inline constexpr std::uint32_t kShrinkMax = 1'000'000;
std::string FormatInput(const InputId& id);
absl::StatusOr<InputId> ParseInput(const sim::ReplayString& replay);

// An input whose values can be had. It is rapidcheck's handler of draws.
class Input final : public rc::gen::detail::GenerationHandler {
 public:
  struct Draw {
    Place place;
    std::string name;  // As the generator was named; empty: it was not.
    ValueTree tree;
  };

  Input(const std::vector<ValueGen>& arguments, InputId id);

  const InputId& id() const { return id_; }

  // This one with a smaller value at a place: the tree is what was found as the
  // `shrink`-th of those below the present one.
  Input Smaller(Place place, std::uint32_t shrink, ValueTree tree) const;

  // An execution begins. Returns its arguments, made anew; they live until the
  // next one begins.
  std::vector<Value>& Begin();

  // Draws a value inside of an execution.
  Value onGenerate(const ValueGen& gen) override;

  const std::vector<Draw>& arguments() const { return arguments_; }
  // What the last execution drew in its body, in that order.
  const std::vector<Draw>& draws() const { return draws_; }

  // One of either; null if there is none.
  const Draw* Find(Place place) const;

  // Whether there were values wherever `id` says that there are. What is drawn
  // in the body counts if there was an execution.
  bool fits() const;

 private:
  Input() = default;
  ValueTree TreeAt(Place place, const ValueGen& gen);

  InputId id_;
  std::vector<Draw> arguments_;
  std::vector<Draw> draws_;
  std::vector<Value> values_;  // Of the arguments, in the last execution.
  std::set<Place> shrunk_;     // Of those in `id`, the ones that were there.
  bool began_ = false;
};

}  // namespace clotho::properties::internal

#endif  // CLOTHO_PROPERTIES_INPUT_H_
