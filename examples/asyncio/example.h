// What the examples share: how they are run, and a coroutine that many use.
//
//   int main(int argc, char** argv) { return RunExample(argc, argv, Main); }
//
// The program runs on a virtual clock, in no time; with `--real`, on the
// machine's clock, for as long as it takes. Its last line says how long that
// was.

#ifndef CLOTHO_EXAMPLES_ASYNCIO_EXAMPLE_H_
#define CLOTHO_EXAMPLES_ASYNCIO_EXAMPLE_H_

#include "clotho/runtime/runtime.h"

namespace clotho::examples {

// Runs `main()` to its end, in a loop of its own, as `clotho::Run` does.
// Returns the program's exit code.
int RunExample(int argc, char** argv, Coro<void> (*main)());

// The clock that the command line asks for: a virtual one, or null, which is
// the machine's. Ends the program if the arguments are others.
Clock* ClockFor(int argc, char** argv);

// Prints the time of the loop's clock: the last line of an example.
void SayHowLong(const EventLoop& loop);

// Sleeps for so many seconds, and says when it begins and when it is over.
// Gives `seconds`.
Coro<int> Nap(int seconds);

}  // namespace clotho::examples

#endif  // CLOTHO_EXAMPLES_ASYNCIO_EXAMPLE_H_
