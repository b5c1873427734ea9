#include "clotho/runtime/primitive.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/exceptions.h"

namespace clotho::internal {

std::string DescribePrimitive(const char* type, const Text& name) {
  if (!name) return type;
  return absl::StrCat(type, " \"", std::string(name->view()), "\"");
}

void ThrowDestroyed(const char* type) {
  throw RuntimeError(
      absl::StrCat("the ", type, " was destroyed while a task waited for it"));
}

}  // namespace clotho::internal
