// `mkdir -p`, while another task removes.
//
// Failing to create a directory because it already exists is fine; to make sure
// that it is a directory, it is inspected once more. It may have been removed
// by then, and the error of the first call is thrown.
//
// Breaks: two tasks create the same directory; the second learns that it
// exists; a third removes it; the second inspects it, and finds nothing. Depth
// 3. The fixed version starts over. Source: node-mkdirp (MKD in the papers of
// NodeFz and NodeRacer).

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

enum class Error { kNone, kExists, kNoEntry, kNotEmpty };

class FileExistsError : public Exception {
 public:
  using Exception::Exception;
};

std::string Parent(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

// The outside world. Every call takes a while, and takes effect atomically.
class FileSystem {
 public:
  explicit FileSystem(Form form) : form_(form) { directories_.Write() = {""}; }

  Coro<Error> Mkdir(std::string path) {
    co_await GiveWay(form_);
    if (!directories_.Read().contains(Parent(path))) co_return Error::kNoEntry;
    if (directories_.Read().contains(path)) co_return Error::kExists;
    directories_.Write().insert(path);
    co_return Error::kNone;
  }
  Coro<Error> Stat(std::string path) {
    co_await GiveWay(form_);
    co_return directories_.Read().contains(path) ? Error::kNone
                                                 : Error::kNoEntry;
  }
  Coro<Error> Rmdir(std::string path) {
    co_await GiveWay(form_);
    for (const std::string& other : directories_.Read()) {
      if (Parent(other) == path && other != path) co_return Error::kNotEmpty;
    }
    co_return directories_.Write().erase(path) > 0 ? Error::kNone
                                                   : Error::kNoEntry;
  }

 private:
  const Form form_;
  sim::Tracked<std::set<std::string>> directories_{"directories"};
};

Coro<void> MakeDirectories(FileSystem& files, std::string path, bool fixed) {
  for (;;) {
    const Error made = co_await files.Mkdir(path);
    if (made == Error::kNone) co_return;
    if (made == Error::kNoEntry) {
      co_await MakeDirectories(files, Parent(path), fixed);
      continue;
    }
    const Error found = co_await files.Stat(path);
    if (found == Error::kNone) co_return;
    if (!fixed) throw FileExistsError("it exists, and it does not");
  }
}

Coro<void> Remove(FileSystem& files, std::string path) {
  co_await files.Stat(path);
  co_await files.Rmdir(path);
}

Coro<void> TwoMakeOneRemoves(Form form, bool fixed) {
  FileSystem files(form);
  Coro<void> make = MakeDirectories(files, "/a", fixed);
  Task<void> first = CreateTask(std::move(make), {.name = "make-1"});
  make = MakeDirectories(files, "/a", fixed);
  Task<void> second = CreateTask(std::move(make), {.name = "make-2"});
  Coro<void> remove = Remove(files, "/a");
  Task<void> third = CreateTask(std::move(remove), {.name = "remove"});
  co_await Gather(first, second, third);
}

}  // namespace

std::vector<Race> MkdirpRaces() {
  return InBothForms({.name = "mkdirp",
                      .depth = 3,
                      .failure = sim::FailureKind::kException,
                      .says = "it exists, and it does not",
                      .published = {.note = "runs to the first: NodeFz never "
                                            "in 29 of 30, NodeRacer 2.0"}},
                     &TwoMakeOneRemoves);
}

}  // namespace clotho::examples
