// Always: a claim that must hold whenever the program comes past it.
//
//   Always(!jobs.empty(), "a woken worker finds a job");
//
// In a simulation a false claim is a failure of the execution: it is recorded,
// and thrown out of the code that made it. In production it is a line on
// standard error, and the program goes on.

#ifndef CLOTHO_RUNTIME_ALWAYS_H_
#define CLOTHO_RUNTIME_ALWAYS_H_

#include <source_location>
#include <string_view>

namespace clotho {

namespace internal {

// Whoever is told of false claims in this thread, in place of standard error.
class ClaimHandler {
 public:
  // May throw.
  virtual void AlwaysIsFalse(std::string_view claim,
                             const std::source_location& location) = 0;

 protected:
  ~ClaimHandler() = default;
};
inline thread_local constinit ClaimHandler* claim_handler = nullptr;

void ReportFalseClaim(std::string_view claim,
                      const std::source_location& location);

}  // namespace internal

inline void Always(
    bool condition, std::string_view claim,
    std::source_location location = std::source_location::current()) {
  if (!condition) [[unlikely]]
    internal::ReportFalseClaim(claim, location);
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_ALWAYS_H_
