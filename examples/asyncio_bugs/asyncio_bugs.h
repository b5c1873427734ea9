// Bugs that CPython's asyncio has had, as programs to hunt.
//
//   for (const Race& bug : AsyncioBugs()) {
//     sim::Report report = sim::Explore(bug.buggy, sim::Fuzz{});
//   }
//
// Each is the faulty algorithm, written anew from its description, under a test
// that names no interleaving, and that any correct version passes. The fixed
// twin runs the same test on this runtime's own primitive, or on the corrected
// algorithm where the test needs to look inside. README.md lists them. Each
// file begins with what broke, in which releases, and how.

#ifndef CLOTHO_EXAMPLES_ASYNCIO_BUGS_ASYNCIO_BUGS_H_
#define CLOTHO_EXAMPLES_ASYNCIO_BUGS_ASYNCIO_BUGS_H_

#include <span>

#include "clotho/examples/races/races.h"

namespace clotho::examples {

// All of them, in the portable form. `published.note` says where each is from.
std::span<const Race> AsyncioBugs();

}  // namespace clotho::examples

#endif  // CLOTHO_EXAMPLES_ASYNCIO_BUGS_ASYNCIO_BUGS_H_
