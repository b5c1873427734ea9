#include "clotho/runtime/internal/check.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "clotho/runtime/internal/source_place.h"

namespace clotho::internal {

void CheckFailed(const char* file, int line, const char* condition,
                 const char* meaning) noexcept {
  std::fprintf(stderr,
               "%s: CLOTHO_DCHECK(%s) failed: %s; this is a bug in Clotho, "
               "please report it\n",
               Place(file, static_cast<std::uint32_t>(line)).c_str(), condition,
               meaning);
  std::abort();
}

}  // namespace clotho::internal
