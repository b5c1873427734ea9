// Traces as JSON: for programs that read them, and for Perfetto.
//
//   std::ofstream("trace.json") << sim::TraceJson(report.trace, {...});
//
// Both texts are ASCII, end with a line break, and are the same in every run.
//
// TraceJson's format, version 1. Every step and every event has a line to
// itself. Times are nanoseconds of virtual time since the execution began.
// Numbers are whole, and those of steps count from 1; what is unknown or empty
// is left out.
//
//   {
//     "clotho_trace": 1,
//     "test": "Suite.Name", "replay": "c1/0/4:1/b7e2", "failure": "...",
//     "lanes": ["main", "worker-1", "-"],
//     "departures": [
//       {"step": 4, "taken": "ran ...", "plain": "plain order runs ..."}, ...
//     ],
//     "steps": [
//       {"step": 4, "time_ns": 0, "taken": "worker-2 (job_queue.cc:20)",
//        "choice": 1, "candidates": 3, "timer": true,
//        "named": ["worker-1 (...)", "worker-2 (...)", "the 5 ms timer"]}, ...
//     ],
//     "events": [
//       {"step": 4, "time_ns": 0, "lane": 2, "kind": "wake",
//        "text": "wakes main", "file": "job_queue.cc", "line": 20,
//        "other": 0}, ...
//     ]
//   }
//
//   lanes       the tasks, in the order in which they appeared; "-" is what
//               belongs to none. "lane" and "other" count from 0.
//   departures  where the schedule differs from plain order
//   steps       what ran, and what could have: "choice" is the place among the
//               candidates, 0 being plain order's; "timer" says that the last
//               one is the next timer; at most 16 are named. Without a choice
//               ("candidates" is 1) none of that is there.
//   events      what happened, in order. "kind": start, resume, spawn, wake,
//               await, return, raise, cancelled, failure, timer, read, write,
//               choice (see trace.h). "other": the lane that is spawned or
//               woken. "file" and "line": where.
//
// A later version may add members; a reader passes over those that it does not
// know.
//
// ChromeTraceJson's is Chrome's trace event format, which ui.perfetto.dev and
// chrome://tracing open. A thread is a task. Its slices are its steps, each as
// long as a microsecond and standing at its number: within one instant of
// virtual time all steps have no width, so the axis counts steps; the times are
// in "args". Arrows go from who wakes or spawns to the step that comes of it;
// marks are departures, the failure and the rest; a counter is how many were
// ready. Of a long execution it has the last 10,000 steps, and says so.

#ifndef CLOTHO_SIM_TRACE_JSON_H_
#define CLOTHO_SIM_TRACE_JSON_H_

#include <string>

#include "clotho/sim/trace.h"

namespace clotho::sim {

// What a trace is of. Whatever is empty is left out.
struct TraceTitle {
  std::string test = {};
  std::string replay = {};
  std::string failure = {};  // What went wrong.
};

std::string TraceJson(const Trace& trace, const TraceTitle& title = {});

std::string ChromeTraceJson(const Trace& trace, const TraceTitle& title = {});

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_TRACE_JSON_H_
