#include "clotho/runtime/claims.h"

#include <cstdio>
#include <source_location>
#include <string_view>

namespace clotho::internal {

void ReportFalseClaim(std::string_view word, std::string_view claim,
                      const std::source_location& location) {
  if (claim_handler != nullptr) {
    claim_handler->ClaimIsFalse(word, claim, location);
    return;
  }
  std::fprintf(stderr, "clotho: %.*s \"%.*s\" is false (%s:%u)\n",
               static_cast<int>(word.size()), word.data(),
               static_cast<int>(claim.size()), claim.data(),
               location.file_name(), location.line());
}

}  // namespace clotho::internal
