// The tasks of a running execution, as text for people.

#ifndef CLOTHO_SIM_ENGINE_TASK_TABLE_H_
#define CLOTHO_SIM_ENGINE_TASK_TABLE_H_

#include <string>

#include "clotho/runtime/event_loop.h"

namespace clotho::sim::internal {

// One line for each task that is not done, oldest first: its name, and what it
// is doing. The loop must be between two steps.
std::string TaskTable(const EventLoop& loop);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_ENGINE_TASK_TABLE_H_
