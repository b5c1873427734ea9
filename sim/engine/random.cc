#include "clotho/sim/engine/random.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "clotho/sim/engine/hash.h"

namespace clotho::sim {
namespace internal {

void UniformBelowZero() {
  std::fputs(
      "Rng: asked for a number below 0, and there is none. The bound of "
      "Uniform "
      "and the denominator of Chance must be at least 1.\n",
      stderr);
  std::abort();
}

}  // namespace internal

std::uint64_t DeriveSeed(std::uint64_t base, std::string_view name) {
  StreamHash hash;
  hash.Add(base);
  hash.Add(name);
  return hash.Finish();
}

std::uint64_t DeriveSeed(std::uint64_t base, std::string_view test,
                         std::uint64_t execution) {
  StreamHash hash;
  hash.Add(base);
  hash.Add(test);
  hash.Add(execution);
  return hash.Finish();
}

}  // namespace clotho::sim
