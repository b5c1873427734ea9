// StreamHash: a 64-bit hash of a sequence of words, fed one at a time. It
// identifies traces and schedules: the same sequence has the same hash in every
// build.
//
//   StreamHash hash;
//   hash.Add(step);
//   hash.Add("worker-1");
//   const std::uint64_t name = hash.Finish();
//
// The hash depends on every word, their order and their number. It does not
// resist deliberate collisions.
//
// The definition, in unsigned arithmetic modulo 2^64, `>>` shifting in zeros:
//   at first   state = 0x243f6a8885a308d3, words = 0
//   a word w   state = (state ^ w) * 0x9e3779b97f4a7c15
//              state = state ^ (state >> 32);  words = words + 1
//   a string   its length in bytes as a word, then its bytes, eight to a word,
//              the first one lowest, the last word padded with zeros
//   the end    Mix64(state + words * 0xd1342543de82ef95)
// Each word changes the state one to one, and so does the end: two sequences
// that differ in a single word never have the same hash.

#ifndef CLOTHO_SIM_ENGINE_HASH_H_
#define CLOTHO_SIM_ENGINE_HASH_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace clotho::sim {
namespace internal {

// The output function of SplitMix64: Stafford's variant 13 of the MurmurHash3
// finalizer. It is a bijection.
constexpr std::uint64_t Mix64(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace internal

class StreamHash {
 public:
  constexpr void Add(std::uint64_t word) {
    // One multiplication per word: it carries every bit upwards, and the shift
    // brings the upper half back down for the next word.
    state_ = (state_ ^ word) * 0x9e3779b97f4a7c15;
    state_ ^= state_ >> 32;
    ++words_;
  }

  // The length comes first, so that "ab", "c" differs from "a", "bc".
  constexpr void Add(std::string_view text) {
    Add(std::uint64_t{text.size()});
    for (; text.size() >= 8; text.remove_prefix(8))
      Add(Word(text.substr(0, 8)));
    if (!text.empty()) Add(Word(text));
  }

  // The hash of everything added so far. More may be added afterwards.
  constexpr std::uint64_t Finish() const {
    return internal::Mix64(state_ + words_ * 0xd1342543de82ef95);
  }

 private:
  // At most eight bytes, the first one lowest, independent of the machine's
  // byte order.
  static constexpr std::uint64_t Word(std::string_view bytes) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    }
    return word;
  }

  std::uint64_t state_ = 0x243f6a8885a308d3;  // Digits of pi.
  std::uint64_t words_ = 0;
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_HASH_H_
