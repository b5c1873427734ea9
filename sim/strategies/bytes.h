// BytesStrategy: a schedule that is read from a string of bytes, such as a
// fuzzer makes: libFuzzer, AFL++.
//
// Every string is a schedule. The empty one is FIFO order; so is what comes
// after the end of any other. A deviation takes one byte, as a rule, wherever
// in the execution it is, so that what a fuzzer cuts out, doubles or joins are
// mostly whole deviations. The decisions of the environment (choice.h) are read
// like those of the schedule.
//
// The format. An execution has choices, in their order: the steps at which at
// least two things can happen (in FIFO ordering: those at which the next timer
// may become due), and the decisions of the environment that have at least two
// values. The string is a sequence of records. A record begins
// with a byte, of which g are the upper four bits and c the lower four:
//
//   c = 0         the next 2^g choices are as in FIFO order
//   c = 1 to 14   the next g choices are as in FIFO order; then there is a
//                 deviation, of number c
//   c = 15        the same; the deviation's number is 15 plus the following
//                 bytes read as LEB128: seven bits of each, the lowest first,
//                 up to the first byte below 0x80, but no more than three bytes
//
// Where the string ends in the middle of a record, what is missing is zeros.
//
// Deviation number n, of a choice of m alternatives numbered from 0, is
// alternative 1 + (n - 1) mod (m - 1). Alternative 0 is FIFO order; the next
// timer, where it may fire, is the last one. So 0x01 deviates from FIFO order
// at the first choice, 0x21 at the third one, and 0x60 0x01 at the 65th.
//
// It promises nothing by itself: whoever makes the strings does the searching.
// But every schedule of up to 2^21 alternatives at a choice has its string.

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
  // Begins the next record. At the end of the string there is none.
  void ReadRecord();

  const std::string bytes_;
  std::size_t next_ = 0;
  // Choices that are left before the deviation, or before the next record if
  // the number is 0.
  std::uint64_t fifo_ = 0;
  std::uint64_t deviation_ = 0;
};

// Chooses as another strategy does, and writes that down: BytesStrategy, given
// these bytes, chooses the same in the same program.
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

  // Of the last execution, or of as much of it as there was.
  const std::string& bytes() const { return bytes_; }

 private:
  void Write(std::uint64_t alternative);

  Strategy& strategy_;
  std::string bytes_;
  std::uint64_t fifo_ = 0;  // Choices as in FIFO order, not written yet.
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_STRATEGIES_BYTES_H_
