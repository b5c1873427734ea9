// Traces as JSON: for programs that read them, and for Perfetto.
//
//   std::ofstream("trace.json") << sim::TraceJson(report.trace, {...});
//
// Both texts are ASCII, end with a line break, and are the same in every run.
//
// The format of TraceJson, version 1. Every step and every event has its own
// line. Times are nanoseconds of virtual time since the execution began. All
// numbers are integers; steps are numbered from 1. Unknown or empty members are
// left out.
//
//   {
//     "clotho_trace": 1,
//     "test": "Suite.Name", "replay": "c1/0/4:1/b7e2", "failure": "...",
//     "failed": {"kind": "always", "step": 5, "time_ns": 0,
//                "task": "worker-1", "function": "JobQueue::Take",
//                "file": "job_queue.cc", "line": 25},
//     "input": "...", "race": "...", "replay_command": "...",
//     "search": {"strategy": "fuzz", "seed": 1, "schedules": 1000,
//                "executions": 118, "deviations_found": 23,
//                "shrink_runs": 141, "minimal": true,
//                "turning_point": "...", "nearest_pass": "...",
//                "reachable": "..."},
//     "goals": [{"goal": "...", "place": "raft.cc:207", "reached": 12}, ...],
//     "lanes": ["main", "worker-1", "-"],
//     "deviations": [
//       {"step": 4, "taken": "ran ...", "fifo": "FIFO order runs ..."}, ...
//     ],
//     "steps": [
//       {"step": 4, "time_ns": 0, "taken": "worker-2 (job_queue.cc:20)",
//        "choice": 1, "candidates": 3, "timer": true,
//        "named": ["worker-1 (...)", "worker-2 (...)", "the 5 ms timer"],
//        "why": ["ready since step 3, woken by main", ...],
//        "since": 3, "by": 0}, ...
//     ],
//     "events": [
//       {"step": 4, "time_ns": 0, "lane": 2, "kind": "wake",
//        "text": "wakes main", "file": "job_queue.cc", "line": 20,
//        "other": 0, "stack": 0}, ...
//     ],
//     "stacks": [
//       [{"function": "Take", "file": "job_queue.cc", "line": 23}, ...], ...
//     ],
//     "waits": [
//       {"task": "a-to-b", "background": true, "what": "Lock \"B\"",
//        "since_step": 4, "since_ns": 0, "stack": [{...}, ...],
//        "created": {...}, "holders": [1], "taken": true, "held": {...}}, ...
//     ],
//     "cycle": [0, 1],
//     "histories": [
//       {"name": "kv", "key": "x", "undecided": true, "operations": [
//          {"client": "c0", "text": "Put(x, 1)", "called": 0, "returned": 3,
//           "called_step": 2, "returned_step": 5, "called_ns": 0,
//           "returned_ns": 0, "part": true, "context": true, "stuck": true},
//          ...],
//        "order": ["Put(x, 1)"], "state": "...", "right_results": ["1"]}, ...
//     ],
//     "fifo": {
//       "failure": "...", "left_out": 12,
//       "steps": [
//         {"step": 1, "time_ns": 0, "task": "main", "taken": "main (...)"}, ...
//       ]
//     }
//   }
//
//   lanes       the tasks, in the order in which they appeared; "-" stands for
//               what belongs to no task. "lane" and "other" count from 0.
//   deviations  where the schedule differs from FIFO order
//   steps       what ran, and what could have run: "choice" is the index of the
//               candidate, 0 being FIFO order's; "timer" means that the last
//               candidate is the next timer; at most 16 are "named". Without a
//               choice ("candidates" is 1) these members are absent.
//               "why" says why each named candidate could run or, without a
//               choice, why this one could. It became ready in step "since"
//               (absent: before the first), through the lane "by" (absent: a
//               timer was due).
//   events      what happened, in order. "kind": start, resume, spawn, wake,
//               await, return, raise, cancelled, failure, timer, read, write,
//               choice (see trace.h). "other": the lane that is spawned or
//               woken. "file" and "line": where. "stack": index in "stacks",
//               from 0, if coroutines await each other there.
//   stacks      places, innermost last
//   waits       the tasks that were not done at the end, oldest first: what
//               each waits for (absent: nothing, it could have run), since
//               when, where, and which tasks could end the wait ("holders",
//               indices in "waits", from 0); "taken": the holder took it, at
//               "held". "cycle": tasks that wait for each other, each for the
//               next, and the last for the first.
//   histories   operations and results, numbered in the order of their calls
//               and returns, of a history that is not linearizable or was not
//               decided. "part" is the contradiction, "context" must merely be
//               present. "order" is a longest valid order, "state" the state
//               after it, and "right_results" are the results that would be
//               valid there for the operation that is "stuck".
//   fifo        the same test in FIFO order: its first steps, and how it fails
//               (absent: it passes)
//   failed      the failure in parts; "race" and "replay_command" are the
//               report's
//   search      how it was found; see report.h
//
// A later version may add members; a reader must ignore members that it does
// not know.
//
// ChromeTraceJson writes Chrome's trace event format, which ui.perfetto.dev and
// chrome://tracing open. Each task is a thread. Its slices are its steps, each
// one microsecond long and placed at its number: all steps within one instant
// of virtual time would have no width, so the axis counts steps; the times are
// in "args". Arrows lead from a task that wakes or spawns another one to the
// resulting step; marks are deviations, the failure and other events; a counter
// shows how many candidates were ready. Of a long execution it has the last
// 10,000 steps, and says so.

#ifndef CLOTHO_SIM_REPORT_TRACE_JSON_H_
#define CLOTHO_SIM_REPORT_TRACE_JSON_H_

#include <string>

#include "clotho/sim/engine/trace.h"
#include "clotho/sim/report/report.h"

namespace clotho::sim {

// What the trace belongs to. Empty members are left out.
struct TraceTitle {
  std::string test = {};
  std::string replay = {};
  std::string failure = {};  // What went wrong.
  // Further information about the execution; may be null.
  const Report* report = nullptr;
};

std::string TraceJson(const Trace& trace, const TraceTitle& title = {});

std::string ChromeTraceJson(const Trace& trace, const TraceTitle& title = {});

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_REPORT_TRACE_JSON_H_
