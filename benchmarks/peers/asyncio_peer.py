#!/usr/bin/env python3
"""The workloads of cross_runtime on CPython's asyncio, on a virtual clock.

  python3 asyncio_peer.py W1

The dense W3 has a tenth of the tasks, since a million take minutes. W7 uses one
loop for all executions, and picks what runs next from the loop's own queue.
"""

import asyncio
import collections
import random
import selectors
import sys
import time


def emit(key, value, unit):
    print(f"{key}\t{value:.6g}\t{unit}", flush=True)


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


class JumpingSelector(selectors.SelectSelector):
    """Never blocks or calls the system; advances the loop's time instead."""

    loop = None

    def select(self, timeout=None):
        if timeout is None:
            raise RuntimeError("deadlock: nothing is ready, and there is no timer")
        if timeout > 0:
            # pylint: disable-next=protected-access
            self.loop.now = self.loop._scheduled[0]._when
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio's loop on a clock that does not advance while anything is ready."""

    def __init__(self):
        self.now = 0.0
        selector = JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self):
        return self.now


class RandomDeque(collections.deque):
    """A loop's ready queue that returns elements at random."""

    random = random.Random(42)

    def popleft(self):
        index = int(self.random.random() * len(self))
        self.rotate(-index)
        taken = super().popleft()
        self.rotate(index)
        return taken


def run(coroutine):
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


def now():
    return time.perf_counter() * 1e9


async def give_way(times):
    for _ in range(times):
        await asyncio.sleep(0)


async def switch_among(tasks, switches):
    tasks = [asyncio.create_task(give_way(switches // tasks))
             for _ in range(tasks)]
    begin = now()
    await asyncio.gather(*tasks)
    return now() - begin


def w1():
    switches = 500_000
    for tasks in (1, 100, 10_000):
        emit(f"W1.switch.N={tasks}",
             run(switch_among(tasks, switches)) / switches, "ns/switch")


async def return_it(value):
    return value


async def spawn_and_gather(count):
    bytes_before = resident_bytes()
    begin = now()
    tasks = [asyncio.create_task(return_it(i)) for i in range(count)]
    used = resident_bytes() - bytes_before
    total = sum(await asyncio.gather(*tasks))
    del tasks
    ns = now() - begin
    assert total == count * (count - 1) // 2
    return ns, used


def w2():
    count = 1_000_000
    ns, used = run(spawn_and_gather(count))
    emit("W2.spawn.cold", ns / count, "ns/task")
    emit("W2.bytes", used / count, "B/task")


async def sleep_often(seed, times, most_ms):
    for _ in range(times):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        await asyncio.sleep((1 + (seed >> 8) % most_ms) / 1000)


async def sleep_all(tasks, times, most_ms):
    begin = now()
    await asyncio.gather(*[asyncio.create_task(sleep_often(i, times, most_ms))
                           for i in range(tasks)])
    return now() - begin


def w3():
    emit("W3.timer.dense", run(sleep_all(100_000, 3, 1_000)) / 300_000,
         "ns/event")
    emit("W3.timer.sparse", run(sleep_all(1_000, 300, 100_000)) / 300_000,
         "ns/event")


async def put_all(queue, messages):
    for i in range(messages):
        await queue.put(i)


async def get_all(queue, messages):
    total = 0
    for _ in range(messages):
        total += await queue.get()
    return total


async def channel(producers, messages):
    queue = asyncio.Queue(1)
    each = messages // producers
    begin = now()
    totals = await asyncio.gather(
        get_all(queue, messages),
        *[put_all(queue, each) for _ in range(producers)])
    ns = now() - begin
    assert totals[0] == producers * (each * (each - 1) // 2)
    return ns


def w4():
    messages = 200_000
    emit("W4.chan.1p1c", run(channel(1, messages)) / messages, "ns/msg")
    emit("W4.chan.1000p1c", run(channel(1_000, messages)) / messages, "ns/msg")


class CountsItsEnd:
    """An object that a frame has to clean up."""

    ends = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        CountsItsEnd.ends += 1


async def leaf(gate):
    with CountsItsEnd():
        return await gate


async def middle(gate):
    with CountsItsEnd():
        return await leaf(gate)


async def top(gate):
    with CountsItsEnd():
        return await middle(gate)


async def cancel_all(count):
    loop = asyncio.get_running_loop()
    tasks = [asyncio.create_task(top(loop.create_future()))
             for _ in range(count)]
    await asyncio.sleep(0)
    begin = now()
    for task in tasks:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    ns = now() - begin
    assert len(outcomes) == count and CountsItsEnd.ends == 3 * count
    return ns


def w5():
    count = 100_000
    emit("W5.cancel", run(cancel_all(count)) / count, "ns/cancel")


async def chain(depth):
    if depth == 0:
        return 1
    return 1 + await chain(depth - 1)


async def run_chain(depth, times):
    begin = now()
    total = 0
    for _ in range(times):
        total += await chain(depth)
    ns = now() - begin
    assert total == times * (depth + 1)
    return ns


def w6():
    sys.setrecursionlimit(20_000)
    for depth in (1_000, 10):
        times = 1_000_000 // depth
        emit(f"W6.chain.d={depth}",
             run(run_chain(depth, times)) / (times * (depth + 1)), "ns/call")


class Shared:
    """The counter that the three tasks of W7 increment."""

    def __init__(self):
        self.value = 0


async def increment(shared):
    for _ in range(2):
        read = shared.value
        await asyncio.sleep(0)
        shared.value = read + 1


async def race():
    shared = Shared()
    await asyncio.gather(*[increment(shared) for _ in range(3)])


async def increment_locked(lock, shared):
    for _ in range(2):
        async with lock:
            read = shared.value
            await asyncio.sleep(0)
            shared.value = read + 1


async def locked_race():
    shared = Shared()
    lock = asyncio.Lock()
    await asyncio.gather(*[increment_locked(lock, shared) for _ in range(3)])
    assert shared.value == 6


def w7():
    schedules = 5_000
    for name, body in (("race", race), ("lock", locked_race)):
        loop = VirtualLoop()
        loop._ready = RandomDeque()  # pylint: disable=protected-access
        begin = now()
        for _ in range(schedules):
            loop.run_until_complete(body())
        seconds = (now() - begin) * 1e-9
        loop.close()
        emit(f"W7.random.{name}", schedules / seconds, "schedules/s")


WORKLOADS = {"W1": w1, "W2": w2, "W3": w3, "W4": w4, "W5": w5, "W6": w6, "W7": w7}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in WORKLOADS:
        print("asyncio_peer.py: expected one of W1 to W7", file=sys.stderr)
        sys.exit(2)
    WORKLOADS[sys.argv[1]]()


if __name__ == "__main__":
    main()
