// Note: the notes of printed programs, and how they compare with those of the
// same program when interpreted.
//
//   std::vector<std::string> notes;
//   SetNotes(&notes);
//   co_await Program().Run();               // A printed one.
//
//   options.observers = {MakeNotesObserver()};   // In the interpreter.
//
// A note is a line: the time in nanoseconds, and what happened then.

#ifndef CLOTHO_PROPERTIES_RUNTIME_PROGRAM_NOTES_H_
#define CLOTHO_PROPERTIES_RUNTIME_PROGRAM_NOTES_H_

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "clotho/properties/runtime/program_runner.h"
#include "clotho/runtime/runtime.h"

namespace clotho::properties {

// Where the notes of this thread go; null: they are discarded.
void SetNotes(std::vector<std::string>* notes);

// A statement has ended, with its values.
void Note(int statement);
void Note(int statement, int value);
void Note(int statement, const std::vector<int>& values);
void Note(int statement, std::vector<Outcome<int>> outcomes);
void Note(int statement, const WaitResult<Future<int>>& result);
// A kCatch has caught an exception.
void Note(int statement, const std::exception_ptr& caught);
// The callback of a statement runs.
void Note(const char* callback);
// A task has ended.
void Note(const Task<int>& task);

// Makes the same notes for an interpreted program.
std::shared_ptr<ProgramObserver> MakeNotesObserver();

}  // namespace clotho::properties

#endif  // CLOTHO_PROPERTIES_RUNTIME_PROGRAM_NOTES_H_
