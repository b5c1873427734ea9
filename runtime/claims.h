// Always, Sometimes, Reachable, Unreachable: claims about a program, inside of
// the program.
//
//   Always(!jobs.empty(), "a woken worker finds a job");
//   Sometimes(retries > 0, "a request was tried again");
//
// Always and Unreachable are claims about each time that the program comes past
// them. In a simulation a false one is a failure of the execution: it is
// recorded, and thrown out of the code that made it. In production it is a line
// on standard error, and the program goes on.
//
// Sometimes and Reachable are goals of a test as a whole: a search during which
// a Sometimes was met and never true has not tested what it should, and says
// so. In production they are nothing.
//
// The words are those of Antithesis (https://antithesis.com/docs).

#ifndef CLOTHO_RUNTIME_CLAIMS_H_
#define CLOTHO_RUNTIME_CLAIMS_H_

#include <exception>
#include <source_location>
#include <string_view>

namespace clotho {

namespace internal {

// Whoever is told of claims in this thread, in place of standard error.
class ClaimHandler {
 public:
  // `word` is "Always" or "Unreachable". May throw.
  virtual void ClaimIsFalse(std::string_view word, std::string_view claim,
                            const std::source_location& location) = 0;
  // The program came past a goal, and it was reached or not.
  virtual void Goal(std::string_view goal, bool reached,
                    const std::source_location& location) = 0;
  // A task ends with an exception that is no cancellation. Some test libraries
  // make their claims with exceptions.
  virtual void TaskRaised(const std::exception_ptr& /*error*/) {}

 protected:
  ~ClaimHandler() = default;
};
inline thread_local constinit ClaimHandler* claim_handler = nullptr;

void ReportFalseClaim(std::string_view word, std::string_view claim,
                      const std::source_location& location);

}  // namespace internal

// `condition` is true whenever the program comes past this.
inline void Always(
    bool condition, std::string_view claim,
    std::source_location location = std::source_location::current()) {
  if (!condition) [[unlikely]]
    internal::ReportFalseClaim("Always", claim, location);
}

// The program never comes past this.
inline void Unreachable(
    std::string_view claim,
    std::source_location location = std::source_location::current()) {
  internal::ReportFalseClaim("Unreachable", claim, location);
}

// In some execution `condition` is true when the program comes past this. Only
// a program that comes past it at all makes the claim.
inline void Sometimes(
    bool condition, std::string_view goal,
    std::source_location location = std::source_location::current()) {
  if (internal::claim_handler != nullptr) [[unlikely]]
    internal::claim_handler->Goal(goal, condition, location);
}

// The program comes past this: counted, for reports.
inline void Reachable(
    std::string_view goal,
    std::source_location location = std::source_location::current()) {
  Sometimes(true, goal, location);
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_CLAIMS_H_
