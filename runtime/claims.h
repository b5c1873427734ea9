// Always, Sometimes, Reachable, Unreachable: claims that a program makes about
// itself.
//
//   Always(!jobs.empty(), "a woken worker finds a job");
//   Sometimes(retries > 0, "a request was tried again");
//
// Always and Unreachable are checked each time they are executed. In a
// simulation, a false claim fails the execution: it is recorded, and an
// exception is thrown at the claim. In production, it is reported on standard
// error and the program continues.
//
// Sometimes and Reachable are goals for a test as a whole. If a search executed
// a Sometimes but its condition was never true, the search has not tested what
// it should, and reports that. In production they do nothing.
//
// The names are Antithesis' (https://antithesis.com/docs).

#ifndef CLOTHO_RUNTIME_CLAIMS_H_
#define CLOTHO_RUNTIME_CLAIMS_H_

#include <exception>
#include <source_location>
#include <string_view>

namespace clotho {

namespace internal {

// Receives the claims made in this thread, instead of standard error.
class ClaimHandler {
 public:
  // `word` is "Always" or "Unreachable". May throw.
  virtual void ClaimIsFalse(std::string_view word, std::string_view claim,
                            const std::source_location& location) = 0;
  // A goal was executed; `reached` says whether its condition was true.
  virtual void Goal(std::string_view goal, bool reached,
                    const std::source_location& location) = 0;
  // A task ended with an exception other than a cancellation. Some test
  // libraries report failed assertions as exceptions.
  virtual void TaskRaised(const std::exception_ptr& /*error*/) {}

 protected:
  ~ClaimHandler() = default;
};
inline thread_local constinit ClaimHandler* claim_handler = nullptr;

void ReportFalseClaim(std::string_view word, std::string_view claim,
                      const std::source_location& location);

}  // namespace internal

// Claims that `condition` is true every time this is executed.
inline void Always(
    bool condition, std::string_view claim,
    std::source_location location = std::source_location::current()) {
  if (!condition) [[unlikely]]
    internal::ReportFalseClaim("Always", claim, location);
}

// Claims that this is never executed.
inline void Unreachable(
    std::string_view claim,
    std::source_location location = std::source_location::current()) {
  internal::ReportFalseClaim("Unreachable", claim, location);
}

// Claims that `condition` is true here in at least one execution. The claim is
// made only if this is executed at all.
inline void Sometimes(
    bool condition, std::string_view goal,
    std::source_location location = std::source_location::current()) {
  if (internal::claim_handler != nullptr) [[unlikely]]
    internal::claim_handler->Goal(goal, condition, location);
}

// Counts how often this is executed, for reports.
inline void Reachable(
    std::string_view goal,
    std::source_location location = std::source_location::current()) {
  Sometimes(true, goal, location);
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_CLAIMS_H_
