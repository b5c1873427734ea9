"""Commands for gdb that show the tasks of a Clotho program.

    (gdb) source tools/gdb/clotho.py
    (gdb) clotho tasks              lists the tasks and what each is doing
    (gdb) clotho stack worker-1     shows where its coroutines await each other
    (gdb) clotho stack              shows the same for every task

They only read memory, so they work on a live process and on a core, wherever it
has stopped. The program needs debug information, at least for the runtime's
types: `bazel build -c dbg`, or -g with Clang's -fstandalone-debug.

A running task is on the machine's stack: `backtrace` shows it.
"""

from typing import Iterator, Optional

import gdb  # Available only inside gdb.

POINTER_SIZE = gdb.lookup_type("void").pointer().sizeof


class Unreadable(gdb.GdbError):
    """Says why something cannot be read, and what to do."""


def lookup(name: str) -> gdb.Type:
    """A type of the runtime."""
    try:
        return gdb.lookup_type("clotho::" + name).strip_typedefs()
    except gdb.error as error:
        raise Unreadable(
            f"no debug information for clotho::{name}: build the program with "
            "-c dbg (or -g; Clang also needs -fstandalone-debug)") from error


def base_offset(derived: gdb.Type, base: str) -> Optional[int]:
    """The offset of the base class in an object of type `derived`."""
    derived = derived.strip_typedefs()
    if derived.name == "clotho::internal::" + base:
        return 0
    for field in derived.fields():
        if not field.is_base_class:
            continue
        inner = base_offset(field.type, base)
        if inner is not None:
            return field.bitpos // 8 + inner
    return None


def at(address: int, type_name: str) -> gdb.Value:
    """The object of that type at an address."""
    return gdb.Value(address).cast(lookup(type_name).pointer()).dereference()


def pointer_at(address: int) -> int:
    """The pointer stored at an address, as a number."""
    word = gdb.lookup_type("unsigned long").pointer()
    return int(gdb.Value(address).cast(word).dereference())


def address_of(value: gdb.Value) -> int:
    """The address of an object."""
    return int(value.address)


class Place:
    """A std::source_location, which both compilers lay out alike."""

    def __init__(self, location: gdb.Value) -> None:
        implementation = location["_M_impl"]
        self.file = ""
        if int(implementation) != 0:
            self.file = implementation["_M_file_name"].string(
                "utf-8", "replace")
            self.line = int(implementation["_M_line"])
            self.function = implementation["_M_function_name"].string(
                "utf-8", "replace")

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else "an unknown place"


class Task:
    """A task that is not done."""

    def __init__(self, task: gdb.Value, current: int) -> None:
        self.value = task
        self.is_running = address_of(task) == current

    def name(self) -> str:
        """The name that the program gave it, or the automatic one."""
        extras = pointer_at(address_of(self.value["extras_"]))
        if extras != 0:
            text = pointer_at(address_of(
                at(extras, "internal::FutureExtras")["name"]))
            if text != 0:
                data = at(text, "internal::TextData")["text_"]
                return data["_M_dataplus"]["_M_p"].string(
                    "utf-8", "replace", int(data["_M_string_length"]))
        return f"Task-{int(self.value['number_'])}"

    def created_at(self) -> Place:
        """Where the program created it."""
        return Place(self.value["created_at_"])

    def stack(self) -> list[Place]:
        """Where its coroutines are suspended, innermost first."""
        places: list[Place] = []
        if not self.value["started_"]:
            return places
        promise = int(self.value["leaf_"])
        while promise != 0:
            coroutine = at(promise, "internal::CoroPromiseBase")
            places.append(Place(coroutine["await_location_"]))
            awaiter = int(coroutine["awaiter_"])
            if awaiter == 0:
                break
            promise = int(at(awaiter, "internal::CoroAwaiterBase")["parent_"])
        return places

    def state(self, tasks: dict[int, "Task"]) -> str:
        """What it is doing, as text. `tasks` has all tasks, by address."""
        if self.is_running:
            return "running now"
        if not self.value["started_"]:
            return f"has not started, created at {self.created_at()}"
        stack = self.stack()
        where = f" at {stack[0]}" if stack else ""
        future = int(self.value["waiting_on_"])
        if future == 0:
            return f"ready to resume{where}"
        offset = base_offset(lookup("internal::TaskBase"), "FutureBase")
        other = tasks.get(future - (offset or 0))
        if other is not None:
            return f"waits for task {other.name()}{where}"
        return f"waits{where}"


def running_loops() -> Iterator[tuple[int, gdb.Value]]:
    """The running loops, each with the number of its thread."""
    selected = gdb.selected_thread()
    if selected is None:
        raise Unreadable("no program is being debugged: expected a process or "
                         "a core")
    seen = set()
    try:
        for thread in sorted(gdb.selected_inferior().threads(),
                             key=lambda thread: thread.num):
            thread.switch()
            loop = loop_of_thread()
            if loop != 0 and loop not in seen:
                seen.add(loop)
                yield thread.num, at(loop, "EventLoop")
    finally:
        selected.switch()


def loop_of_thread() -> int:
    """The address of the loop that runs in the selected thread, or 0."""
    lookup("EventLoop")
    try:
        return int(gdb.parse_and_eval("clotho::internal::running_loop"))
    except gdb.error:
        pass
    # Thread-local variables cannot be read, for example in some cores. The loop
    # is on the stack as well.
    frame: Optional[gdb.Frame] = gdb.newest_frame()
    while frame is not None:
        name = frame.name() or ""
        if name.startswith("clotho::EventLoop::Run"):
            try:
                return int(frame.read_var("this"))
            except (gdb.error, ValueError):
                pass
        frame = frame.older()
    return 0


def tasks_of(loop: gdb.Value) -> list[Task]:
    """The tasks of a loop that are not done, oldest first."""
    head = address_of(loop["tasks_"]["head_"])
    offset = base_offset(lookup("internal::TaskBase"), "RegistryNode")
    if offset is None:
        raise Unreadable("this script is for another version of Clotho: a task "
                         "is not a RegistryNode")
    current = int(loop["current_task_"])
    tasks = []
    node = int(loop["tasks_"]["head_"]["next_"])
    while node != head:
        tasks.append(Task(at(node - offset, "internal::TaskBase"), current))
        node = int(at(node, "internal::ListNode")["next_"])
    return tasks


def all_tasks() -> Iterator[tuple[int, list[Task]]]:
    """The tasks of each running loop, with the number of its thread."""
    loops = list(running_loops())
    if not loops:
        raise Unreadable("no event loop is running in any thread")
    for thread, loop in loops:
        yield thread, tasks_of(loop)


class Clotho(gdb.Command):
    """Commands for programs that use Clotho: `clotho tasks`, `clotho stack`."""

    def __init__(self) -> None:
        super().__init__("clotho", gdb.COMMAND_DATA, prefix=True)


class Tasks(gdb.Command):
    """clotho tasks: lists every task that is not done, and what it is doing."""

    def __init__(self) -> None:
        super().__init__("clotho tasks", gdb.COMMAND_DATA)

    def invoke(self, argument: str, from_tty: bool) -> None:
        """Prints the tasks, one per line."""
        if argument.strip():
            raise gdb.GdbError(f'unexpected argument "{argument.strip()}": '
                               "clotho tasks takes no arguments")
        for thread, tasks in all_tasks():
            gdb.write(f"thread {thread}: {len(tasks)} "
                      f"{'task' if len(tasks) == 1 else 'tasks'}\n")
            known = {address_of(task.value): task for task in tasks}
            width = max((len(task.name()) for task in tasks), default=0)
            for task in tasks:
                gdb.write(f"  {task.name():{width}}  {task.state(known)}\n")


class Stack(gdb.Command):
    """clotho stack [TASK]: shows where the coroutines of a task await each other.

    The innermost one comes first. Without a name, shows every task."""

    def __init__(self) -> None:
        super().__init__("clotho stack", gdb.COMMAND_DATA)

    def invoke(self, argument: str, from_tty: bool) -> None:
        """Prints the stack, with an entry for each coroutine."""
        wanted = argument.strip()
        names = []
        found = False
        for _, tasks in all_tasks():
            known = {address_of(task.value): task for task in tasks}
            for task in tasks:
                names.append(task.name())
                if wanted and task.name() != wanted:
                    continue
                found = True
                gdb.write(f"{task.name()}: {task.state(known)}\n")
                if task.is_running:
                    gdb.write("  (backtrace shows where it is)\n")
                    continue
                for number, place in enumerate(task.stack()):
                    gdb.write(f"  #{number}  {place.function}\n"
                              f"      at {place}\n")
        if wanted and not found:
            raise gdb.GdbError(f'no task "{wanted}": expected one of '
                               + ", ".join(names))


Clotho()
Tasks()
Stack()
