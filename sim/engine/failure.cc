#include "clotho/sim/engine/failure.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"

namespace clotho::sim {

std::string_view FailureKindName(FailureKind kind) {
  switch (kind) {
    case FailureKind::kException:
      return "exception";
    case FailureKind::kExpectation:
      return "expectation";
    case FailureKind::kAlways:
      return "always";
    case FailureKind::kInvariant:
      return "invariant";
    case FailureKind::kHistory:
      return "not linearizable";
    case FailureKind::kDeadlock:
      return "deadlock";
    case FailureKind::kLivelock:
      return "livelock";
    case FailureKind::kVirtualTime:
      return "virtual time";
    case FailureKind::kLeakedTask:
      return "leaked task";
    case FailureKind::kUnretrieved:
      return "unretrieved exception";
    case FailureKind::kNeverAwaited:
      return "never awaited";
    case FailureKind::kCallback:
      return "callback";
    case FailureKind::kMisuse:
      return "misuse";
    case FailureKind::kCrash:
      return "crash";
    case FailureKind::kNone:
      return "none";
    case FailureKind::kDiscarded:
      return "discarded";
    case FailureKind::kSucceeded:
      return "succeeded";
    case FailureKind::kSkipped:
      return "skipped";
  }
  return "failure";
}

std::string SignatureText(std::string_view message) {
  constexpr std::size_t kSizeMax = 200;
  const auto is_digit = [](char c) { return absl::ascii_isdigit(c); };
  std::string text;
  for (std::size_t i = 0; i < message.size() && text.size() < kSizeMax;) {
    if (!is_digit(message[i])) {
      text += absl::ascii_iscntrl(message[i])   ? ' '
              : absl::ascii_isascii(message[i]) ? message[i]
                                                : '?';
      ++i;
      continue;
    }
    text += '#';
    // Addresses are hexadecimal.
    if (message.substr(i, 2) == "0x") {
      for (i += 2; i < message.size() && absl::ascii_isxdigit(message[i]);
           ++i) {
      }
    } else {
      while (i < message.size() && is_digit(message[i])) ++i;
    }
  }
  return text;
}

}  // namespace clotho::sim
