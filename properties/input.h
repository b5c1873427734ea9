// Input: the values rapidcheck generates for one test case: arguments, and
// values drawn by the body (`*gen`).
//
// Every value is a function of the input's seed, its size, the place where it
// is drawn, and the path of shrinks. An input can therefore be written down,
// and is the same in each execution of a test case: a place is the n-th draw of
// a task, whatever other tasks did before.

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
// A value and the smaller values that rapidcheck tries instead.
using ValueTree = rc::Shrinkable<Value>;

// A place where a value is drawn. Arguments are numbered from 0; draws in the
// body have the highest bit set.
using Place = std::uint32_t;

// Identifies an input.
struct InputId {
  std::uint32_t seed = 0;
  std::uint32_t size = 0;
  // For each place whose value was shrunk: the index of the smaller value that
  // was taken, then the index below that one, and so on.
  std::map<Place, std::vector<std::uint32_t>> shrinks = {};

  friend bool operator==(const InputId&, const InputId&) = default;
};

// The input in a replay string, after the seed:
//
//   input  := size { "." place "-" shrink { "_" shrink } }
//
//   size    decimal, at most 1000000
//   place   hexadecimal, ascending
//   shrink  decimal, at most 1000000
//
// Errors quote the invalid part.
inline constexpr std::uint32_t kShrinkMax = 1'000'000;
std::string FormatInput(const InputId& id);
absl::StatusOr<InputId> ParseInput(const sim::ReplayString& replay);

// An input that can generate its values. Handles rapidcheck's draws.
class Input final : public rc::gen::detail::GenerationHandler {
 public:
  struct Draw {
    Place place;
    std::string name;  // The generator's name; may be empty.
    ValueTree tree;
  };

  Input(const std::vector<ValueGen>& arguments, InputId id);

  const InputId& id() const { return id_; }

  // This input with a smaller value at a place: `tree` is the `shrink`-th below
  // the current value.
  Input Smaller(Place place, std::uint32_t shrink, ValueTree tree) const;

  // Starts an execution. Returns newly generated arguments, valid until the
  // next execution starts.
  std::vector<Value>& Begin();

  // Draws a value during an execution.
  Value onGenerate(const ValueGen& gen) override;

  const std::vector<Draw>& arguments() const { return arguments_; }
  // The draws of the last execution's body, in order.
  const std::vector<Draw>& draws() const { return draws_; }

  // The argument or draw at `place`; null if there is none.
  const Draw* Find(Place place) const;

  // True if there was a value at every place in `id`. Draws in the body are
  // checked only after an execution.
  bool fits() const;

 private:
  Input() = default;
  ValueTree TreeAt(Place place, const ValueGen& gen);

  InputId id_;
  std::vector<Draw> arguments_;
  std::vector<Draw> draws_;
  std::vector<Value> values_;  // The arguments in the last execution.
  std::set<Place> shrunk_;     // Places in `id` that had a value.
  bool began_ = false;
};

}  // namespace clotho::properties::internal

#endif  // CLOTHO_PROPERTIES_INPUT_H_
