// BytesStrategy: a schedule that is read from a string of bytes, such as the
// input that a fuzzer (libFuzzer, AFL++) generates.
//
// Every string is a schedule. The empty string is FIFO order, and every
// execution continues in FIFO order after the end of its string. A deviation
// usually takes one byte, wherever it is in the execution, so that when a
// fuzzer deletes, duplicates or splices bytes, it mostly handles whole
// deviations. Decisions of the environment (choice.h) are read in the same way
// as those of the schedule.
//
// The format. An execution has choices, in order: the steps at which at least
// two things can happen (in FIFO ordering: those at which the next timer may
// become due), and the decisions of the environment with at least two values.
// The string is a sequence of records. A record begins with a byte, of which g
// is the upper four bits and c the lower four:
//
//   c = 0         the next 2^g choices are as in FIFO order
//   c = 1 to 14   the next g choices are as in FIFO order; then there is a
//                 deviation, with number c
//   c = 15        the same; the deviation's number is 15 plus the following
//                 bytes read as LEB128: seven bits of each, the lowest first,
//                 up to the first byte below 0x80, but at most three bytes
//
// If the string ends in the middle of a record, the missing bytes are zeros.
//
// At a choice of m alternatives numbered from 0, deviation number n is
// alternative 1 + (n - 1) mod (m - 1). Alternative 0 is FIFO order; the next
// timer, if it may fire, is the last one. So 0x01 deviates from FIFO order at
// the first choice, 0x21 at the third one, and 0x60 0x01 at the 65th.
//
// The strategy itself gives no guarantee: the generator of the strings does the
// searching. But every schedule with up to 2^21 alternatives at each choice has
// a string.

#ifndef CLOTHO_SIM_STRATEGIES_BYTES_H_
#define CLOTHO_SIM_STRATEGIES_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/strategy.h"

namespace clotho::sim {

class BytesStrategy final : public Strategy {
 public:
  explicit BytesStrategy(std::string bytes) : bytes_(std::move(bytes)) {}

  void BeginExecution(Rng& rng) override;
  std::size_t Choose(const ChoicePoint& point) override {
    return static_cast<std::size_t>(Next(point.size()));
  }
  std::uint64_t ChooseValue(const ValueChoice& choice, Rng& rng) override;

 private:
  // The alternative to take, of `size`, at the next choice.
  std::uint64_t Next(std::uint64_t size);
  // Begins the next record, if there is one.
  void ReadRecord();

  const std::string bytes_;
  std::size_t next_ = 0;
  // Choices left before the deviation, or before the next record if the number
  // is 0.
  std::uint64_t fifo_ = 0;
  std::uint64_t deviation_ = 0;
};

// Chooses like another strategy, and records the choices: BytesStrategy, given
// these bytes, makes the same choices in the same program.
class BytesWriter final : public Strategy {
 public:
  // `strategy` must outlive it.
  explicit BytesWriter(Strategy& strategy) : strategy_(strategy) {}

  void BeginExecution(Rng& rng) override {
    bytes_.clear();
    fifo_ = 0;
    strategy_.BeginExecution(rng);
  }
  std::size_t Choose(const ChoicePoint& point) override {
    const std::size_t choice = strategy_.Choose(point);
    if (point.size() > 1) Write(choice);
    return choice;
  }
  std::uint64_t ChooseValue(const ValueChoice& choice, Rng& rng) override {
    const std::uint64_t value = strategy_.ChooseValue(choice, rng);
    if (choice.size > 1) Write(value);
    return value;
  }

  // The last execution, as far as it has come.
  const std::string& bytes() const { return bytes_; }

 private:
  void Write(std::uint64_t alternative);

  Strategy& strategy_;
  std::string bytes_;
  // Choices as in FIFO order that are not written yet.
  std::uint64_t fifo_ = 0;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_BYTES_H_
