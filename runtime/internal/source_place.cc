#include "clotho/runtime/internal/source_place.h"

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace clotho::internal {

std::string ShortFile(std::string_view path) {
  // The build compiles headers from a directory of links.
  static constexpr std::string_view kVirtual = "_virtual_includes/";
  if (const std::size_t at = path.find(kVirtual); at != path.npos) {
    path.remove_prefix(at + kVirtual.size());
    if (const std::size_t slash = path.find('/'); slash != path.npos) {
      path.remove_prefix(slash + 1);
    }
    static constexpr std::string_view kProject = "clotho/";
    if (path.substr(0, kProject.size()) == kProject) {
      path.remove_prefix(kProject.size());
    }
  }
  // CMake compiles headers from one, too, and installs them in such a folder.
  static constexpr std::string_view kIncluded = "/include/clotho/";
  if (const std::size_t at = path.rfind(kIncluded); at != path.npos) {
    path.remove_prefix(at + kIncluded.size());
  }
  static constexpr std::string_view kExecroot = "/proc/self/cwd/";
  if (path.substr(0, kExecroot.size()) == kExecroot) {
    path.remove_prefix(kExecroot.size());
  }
  if (path.substr(0, 2) == "./") path.remove_prefix(2);
  return std::string(path);
}

std::string Place(std::string_view file, std::uint32_t line) {
  if (line == 0) return ShortFile(file);
  return absl::StrCat(ShortFile(file), ":", line);
}

std::string Place(const std::source_location& location) {
  if (location.line() == 0) return "unknown";
  return Place(location.file_name(), location.line());
}

std::string FunctionName(std::string_view signature) {
  // Removes the template arguments: " [T = int]".
  if (signature.ends_with(']')) {
    int depth = 0;
    for (std::size_t i = signature.size(); i-- > 0;) {
      if (signature[i] == ']') ++depth;
      if (signature[i] != '[' || --depth != 0) continue;
      if (i > 0 && signature[i - 1] == ' ') signature = signature.substr(0, i);
      break;
    }
  }
  // For lambdas, names the enclosing function, which a reader knows.
  for (const std::string_view lambda :
       {std::string_view("::(anonymous class)"), std::string_view("::<lambda"),
        std::string_view("::(lambda")}) {
    if (const std::size_t at = signature.find(lambda); at != signature.npos) {
      return absl::StrCat(FunctionName(signature.substr(0, at)), "::lambda");
    }
  }
  // Removes the parameters: finds the parenthesis that matches the last closing
  // one.
  std::size_t end = signature.size();
  int depth = 0;
  if (const std::size_t close = signature.rfind(')'); close != signature.npos) {
    for (std::size_t i = close + 1; i-- > 0;) {
      if (signature[i] == ')') ++depth;
      if (signature[i] == '(' && --depth == 0) {
        end = i;
        break;
      }
    }
  }
  signature = signature.substr(0, end);
  // Removes the return type, which ends at the last space outside brackets.
  depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i < signature.size(); ++i) {
    const char c = signature[i];
    if (c == '<' || c == '(') ++depth;
    if (c == '>' || c == ')') --depth;
    if (c == ' ' && depth == 0) start = i + 1;
  }
  // The `*` or `&` of a return type is attached to the name.
  while (start < signature.size() &&
         (signature[start] == '&' || signature[start] == '*')) {
    ++start;
  }
  std::string name(signature.substr(start));
  for (const std::string_view unnamed :
       {std::string_view("(anonymous namespace)::"),
        std::string_view("{anonymous}::")}) {
    for (std::size_t at = name.find(unnamed); at != name.npos;
         at = name.find(unnamed)) {
      name.erase(at, unnamed.size());
    }
  }
  // A name that is too long for a line loses its outermost scopes.
  static constexpr std::size_t kNameMax = 50;
  while (name.size() > kNameMax) {
    const std::size_t scope = name.find("::");
    if (scope == name.npos || name.find('<') < scope) break;
    name.erase(0, scope + 2);
  }
  return name;
}

}  // namespace clotho::internal
