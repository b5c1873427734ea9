#include "clotho/sim/strategies/bytes.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

namespace clotho::sim {
namespace {

// The most choices before a deviation that its own byte can hold.
constexpr std::uint64_t kGapMax = 15;

}  // namespace

void BytesStrategy::BeginExecution(Rng&) {
  next_ = 0;
  ReadRecord();
}

std::uint64_t BytesStrategy::ChooseValue(const ValueChoice& choice, Rng&) {
  return choice.size < 2 ? 0 : Next(choice.size);
}

std::uint64_t BytesStrategy::Next(std::uint64_t size) {
  if (fifo_ > 0) {
    --fifo_;
    if (fifo_ == 0 && deviation_ == 0) ReadRecord();
    return 0;
  }
  const std::uint64_t alternative = 1 + (deviation_ - 1) % (size - 1);
  ReadRecord();
  return alternative;
}

void BytesStrategy::ReadRecord() {
  if (next_ == bytes_.size()) {
    fifo_ = std::numeric_limits<std::uint64_t>::max();
    deviation_ = 0;
    return;
  }
  const auto first = static_cast<unsigned char>(bytes_[next_++]);
  const unsigned gap = first >> 4;
  deviation_ = first & 15;
  if (deviation_ == 0) {
    fifo_ = std::uint64_t{1} << gap;
    return;
  }
  fifo_ = gap;
  if (deviation_ < 15) return;
  for (unsigned shift = 0; shift < 21 && next_ < bytes_.size(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes_[next_++]);
    deviation_ += std::uint64_t{byte & 127u} << shift;
    if (byte < 128) break;
  }
}

void BytesWriter::Write(std::uint64_t alternative) {
  if (alternative == 0) {
    ++fifo_;
    return;
  }
  while (fifo_ > kGapMax) {
    const unsigned power = std::min<unsigned>(std::bit_width(fifo_) - 1, 15);
    bytes_ += static_cast<char>(power << 4);
    fifo_ -= std::uint64_t{1} << power;
  }
  const std::uint64_t number = std::min<std::uint64_t>(alternative, 15);
  bytes_ += static_cast<char>(fifo_ << 4 | number);
  fifo_ = 0;
  if (number < 15) return;
  std::uint64_t rest = alternative - 15;
  for (; rest >= 128; rest >>= 7) {
    bytes_ += static_cast<char>(128 | (rest & 127));
  }
  bytes_ += static_cast<char>(rest);
}

}  // namespace clotho::sim
