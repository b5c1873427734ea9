// Historical bugs of CPython's asyncio, as programs for the search to break.
//
//   for (const Race& bug : AsyncioBugs()) {
//     sim::Report report = sim::Explore(bug.buggy, sim::Fuzz{});
//   }
//
// Each is the faulty algorithm, rewritten from its description, under a test
// that prescribes no interleaving and that any correct version passes. The
// fixed twin runs the same test on this runtime's own primitive, or on the
// corrected algorithm where the test needs access to internals. README.md lists
// them. Each file starts with what broke, in which releases, and how.

#ifndef CLOTHO_EXAMPLES_ASYNCIO_BUGS_ASYNCIO_BUGS_H_
#define CLOTHO_EXAMPLES_ASYNCIO_BUGS_ASYNCIO_BUGS_H_

#include <span>

#include "clotho/examples/races/races.h"

namespace clotho::examples {

// All of them, in the portable form. `published.note` gives the source of each.
std::span<const Race> AsyncioBugs();

}  // namespace clotho::examples

#endif  // CLOTHO_EXAMPLES_ASYNCIO_BUGS_ASYNCIO_BUGS_H_
