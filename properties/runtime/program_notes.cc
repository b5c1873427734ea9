// The notes of printed and interpreted random programs.

#include "clotho/properties/runtime/program_notes.h"

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "clotho/properties/runtime/program_runner.h"
#include "clotho/properties/runtime/programs.h"
#include "clotho/runtime/runtime.h"

namespace clotho::properties {
namespace {

using Op = Statement::Op;

thread_local constinit std::vector<std::string>* thread_notes = nullptr;

void Add(const std::string& what) {
  if (thread_notes == nullptr) return;
  thread_notes->push_back(absl::StrCat(
      absl::ToInt64Nanoseconds(GetRunningLoop().Time()), " ", what));
}

class NotesObserver final : public ProgramObserver {
  void Ends(int, const Statement& statement, const Ending& ending) override {
    if (ending.exception != nullptr) return;
    switch (statement.op) {
      // If the named task does not exist, nothing is done.
      case Op::kCancel:
      case Op::kAwaitTask:
      case Op::kOnDone:
      case Op::kWaitFor:
      case Op::kTimeout:
      case Op::kShield:
        if (ending.values.empty()) return;
        break;
      default:
        break;
    }
    Note(statement.number, ending.values);
  }
  void Reaches(int, const Statement& statement, Phase phase) override {
    if (phase != Phase::kCaught) return;
    Note(statement.number, std::current_exception());
  }
  void CallbackRuns(const Statement& statement, int) override {
    Note(absl::StrCat(statement.number).c_str());
  }
  void HasEnded(int, const Task<int>& task) override { Note(task); }
};

}  // namespace

void SetNotes(std::vector<std::string>* notes) { thread_notes = notes; }

void Note(int statement) { Note(statement, std::vector<int>()); }
void Note(int statement, int value) {
  Note(statement, std::vector<int>{value});
}
void Note(int statement, const std::vector<int>& values) {
  Add(absl::StrCat(statement, ": ", absl::StrJoin(values, " ")));
}
void Note(int statement, std::vector<Outcome<int>> outcomes) {
  std::vector<int> values;
  for (Outcome<int>& outcome : outcomes) {
    values.push_back(outcome.ok() ? outcome.value() : -1);
  }
  Note(statement, values);
}
void Note(int statement, const WaitResult<Future<int>>& result) {
  Note(statement, {static_cast<int>(result.done.size()),
                   static_cast<int>(result.pending.size())});
}
void Note(int statement, const std::exception_ptr& caught) {
  Add(absl::StrCat(statement, " catches ", DescribeException(caught)));
}
void Note(const char* callback) { Add(absl::StrCat("callback ", callback)); }
void Note(const Task<int>& task) {
  std::string end = "is cancelled";
  if (!task.Cancelled()) {
    const std::exception_ptr exception = task.GetException();
    end = exception != nullptr ? DescribeException(exception)
                               : absl::StrCat("gives ", task.Result());
  }
  Add(absl::StrCat(task.GetName(), " ", end));
}

std::shared_ptr<ProgramObserver> MakeNotesObserver() {
  return std::make_shared<NotesObserver>();
}

}  // namespace clotho::properties
