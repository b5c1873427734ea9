// Rng: random numbers that are the same on every platform, and the derivation
// of their seeds.
//
//   Rng rng(DeriveSeed(base_seed, "faults"));
//   const std::uint64_t die = 1 + rng.Uniform(6);
//   if (rng.Chance(1, 10)) DropTheMessage();
//   rng.Shuffle(std::span(names));
//
// Everything here is specified to the last bit, unlike the distributions of
// <random> and absl::BitGen: a seed yields the same execution next year, on
// another machine. Not for secrets.

#ifndef CLOTHO_SIM_ENGINE_RANDOM_H_
#define CLOTHO_SIM_ENGINE_RANDOM_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "clotho/sim/engine/hash.h"

namespace clotho::sim {
namespace internal {

// Reports that no number is below 0, and aborts.
[[noreturn]] void UniformBelowZero();

}  // namespace internal

// xoshiro256++ 1.0 by David Blackman and Sebastiano Vigna ("Scrambled linear
// pseudorandom number generators", ACM TOMS 47(4), 2021;
// https://prng.di.unimi.it/xoshiro256plusplus.c). As its authors advise,
// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014;
// https://prng.di.unimi.it/splitmix64.c) expands the seed into the state: its
// first four outputs, in order. All seeds are equally good, including 0.
class Rng {
 public:
  explicit constexpr Rng(std::uint64_t seed) { Seed(seed); }

  // Restarts the generator, as if constructed with this seed.
  constexpr void Seed(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      word = internal::Mix64(seed);
    }
  }

  // All 2^64 values are equally likely.
  constexpr std::uint64_t Next() {
    const std::uint64_t result =
        std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // From 0 to `bound` - 1, all equally likely; a bound of 0 aborts. The result
  // is the upper half of the 128-bit product of `bound` and `Next()`, redrawn
  // while the lower half is less than 2^64 mod `bound` (Daniel Lemire, "Fast
  // random integer generation in an interval", ACM TOMACS 29(1), 2019).
  constexpr std::uint64_t Uniform(std::uint64_t bound) {
    if (bound == 0) [[unlikely]]
      internal::UniformBelowZero();
    Product product = Product{Next()} * bound;
    // Nearly always false, and then no division is needed.
    if (static_cast<std::uint64_t>(product) < bound) {
      const std::uint64_t excess = (0 - bound) % bound;  // 2^64 mod bound.
      while (static_cast<std::uint64_t>(product) < excess) {
        product = Product{Next()} * bound;
      }
    }
    return static_cast<std::uint64_t>(product >> 64);
  }

  // True `numerator` times out of `denominator`. Draws the same numbers for
  // every numerator, including 0, so that changing the odds does not change
  // later draws.
  constexpr bool Chance(std::uint64_t numerator, std::uint64_t denominator) {
    return Uniform(denominator) < numerator;
  }

  // All orders are equally likely. Fisher-Yates: from the last item to the
  // second, each is swapped with item `Uniform(i + 1)`, where i is its own
  // index.
  template <typename T, std::size_t kExtent>
  constexpr void Shuffle(std::span<T, kExtent> items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      using std::swap;
      swap(items[i - 1], items[static_cast<std::size_t>(Uniform(i))]);
    }
  }

 private:
  __extension__ using Product = unsigned __int128;

  std::array<std::uint64_t, 4> state_{};
};

// The seed of a named stream. The streams of one base seed ("schedule",
// "faults", "program") are independent of each other: drawing more from one
// does not affect another.
//
// Defined as the StreamHash of `base` and `name`, in this order.
std::uint64_t DeriveSeed(std::uint64_t base, std::string_view name);

// The seed of an execution of a test. It depends on these three alone, so it is
// the same whatever ran before, and in whichever process. No two executions of
// a test have the same seed.
//
// Defined as the StreamHash of `base`, `test` and `execution`, in this order.
std::uint64_t DeriveSeed(std::uint64_t base, std::string_view test,
                         std::uint64_t execution);

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_RANDOM_H_
