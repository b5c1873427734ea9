// An archive that is finished when its last file has been read.
//
// Each file is looked up and read; reading the last one
// finishes the archive. A missing file is not waited for, but
// the code that detects it does not check whether it was the
// last.
//
// Breaks: a file is found to be missing after the others were
// read. Depth 2. Source: the running example of the NodeRacer
// paper (Endo and Moller, ICST 2020).

#include <utility>
#include <vector>

#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

struct Archive {
  sim::Tracked<int> entries{"entries", 0};
  sim::Tracked<int> done{"done", 0};
  int finished = 0;
};

void FinishIfComplete(Archive& archive) {
  if (archive.done.Read() == archive.entries.Read()) ++archive.finished;
}

Coro<void> Add(Archive& archive, bool exists, Form form, bool fixed) {
  co_await GiveWay(form);  // Looks it up.
  if (!exists) {
    --archive.entries.Write();
    if (fixed) FinishIfComplete(archive);
    co_return;
  }
  co_await GiveWay(form);  // Reads it.
  ++archive.done.Write();
  FinishIfComplete(archive);
}

Coro<void> ThreeFilesOneMissing(Form form, bool fixed) {
  Archive archive;
  std::vector<Coro<void>> tasks;
  for (const bool exists : {true, false, true}) {
    ++archive.entries.Write();
    tasks.push_back(Add(archive, exists, form, fixed));
  }
  co_await Gather(std::move(tasks));
  Always(archive.finished == 1, "the archive is finished once");
}

}  // namespace

std::vector<Race> ArchiveRaces() {
  return InBothForms(
      {.name = "archive", .depth = 2, .says = "the archive is finished once"},
      &ThreeFilesOneMissing);
}

}  // namespace clotho::examples
