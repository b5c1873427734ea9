// Shared by the examples: how to run them, and a coroutine that many
// use.
//
//   int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
//
// The program runs on a virtual clock, in no time; with `--real`, on the
// machine's clock. Its last line says how long it took.

#ifndef CLOTHO_EXAMPLES_ASYNCIO_EXAMPLE_H_
#define CLOTHO_EXAMPLES_ASYNCIO_EXAMPLE_H_

#include "clotho/runtime/runtime.h"

namespace clotho::examples {

// Runs `main()` to its end in a new loop, as `clotho::Run` does. Returns the
// program's exit code.
int RunExample(int argc, char** argv, Coro<void> (*main)());

// The clock selected on the command line: a virtual one, or null for the
// machine's. Exits if the arguments are invalid.
Clock* ClockFor(int argc, char** argv);

// Prints the time of the loop's clock: the last line of an example.
void SayHowLong(const EventLoop& loop);

// Sleeps for `seconds`, and reports the start and the end. Returns
// `seconds`.
Coro<int> Nap(int seconds);

}  // namespace clotho::examples

#endif  // CLOTHO_EXAMPLES_ASYNCIO_EXAMPLE_H_
