#include "clotho/sim/strategies/bytes.h"

#include <cstdint>
#include <limits>

namespace clotho::sim {

void BytesStrategy::BeginExecution(Rng&) {
  next_ = 0;
  ReadRecord();
}

std::uint64_t BytesStrategy::ChooseValue(const ValueChoice& choice, Rng&) {
  return choice.size < 2 ? 0 : Next(choice.size);
}

std::uint64_t BytesStrategy::Next(std::uint64_t size) {
  if (plain_ > 0) {
    --plain_;
    if (plain_ == 0 && departure_ == 0) ReadRecord();
    return 0;
  }
  const std::uint64_t alternative = 1 + (departure_ - 1) % (size - 1);
  ReadRecord();
  return alternative;
}

void BytesStrategy::ReadRecord() {
  if (next_ == bytes_.size()) {
    plain_ = std::numeric_limits<std::uint64_t>::max();
    departure_ = 0;
    return;
  }
  const auto first = static_cast<unsigned char>(bytes_[next_++]);
  const unsigned gap = first >> 4;
  departure_ = first & 15;
  if (departure_ == 0) {
    plain_ = std::uint64_t{1} << gap;
    return;
  }
  plain_ = gap;
  if (departure_ < 15) return;
  for (unsigned shift = 0; shift < 21 && next_ < bytes_.size(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes_[next_++]);
    departure_ += std::uint64_t{byte & 127u} << shift;
    if (byte < 128) break;
  }
}

}  // namespace clotho::sim
