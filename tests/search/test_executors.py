"""One test body over every executor."""

from __future__ import annotations

import threading
import time

import pytest

from modelshelf.executors import InlineExecutor, SimulatedExecutor, ThreadExecutor

EXECUTORS = {
    "inline": InlineExecutor,
    "one thread": lambda run: ThreadExecutor(run, 1),
    "three threads": lambda run: ThreadExecutor(run, 3),
    "simulated": lambda run: SimulatedExecutor(run, 3, lambda job: 0.01),
}


@pytest.fixture(params=EXECUTORS)
def make(request):
    return EXECUTORS[request.param]


def collect(executor, count):
    found = []
    for _ in range(200):
        done = executor.next(0.1)
        if done is not None:
            found.append(done)
        if len(found) == count:
            break
    return found


def test_every_job_comes_back_once(make):
    executor = make(lambda n: n * n)
    for n in range(50):
        executor.submit(n)
    assert sorted(d.result for d in collect(executor, 50)) == [n * n for n in range(50)]
    assert executor.next(0.0) is None
    executor.close()


def test_an_exception_is_a_result(make):
    def run(n):
        if n == 1:
            raise ValueError("no")
        return n

    executor = make(run)
    for n in range(3):
        executor.submit(n)
    found = {d.job: d for d in collect(executor, 3)}
    assert isinstance(found[1].error, ValueError)
    assert (found[0].result, found[2].result) == (0, 2)
    executor.close()


def test_dropped_jobs_do_not_come_back(make):
    executor = make(lambda n: time.sleep(0.01))
    executor.drop()
    for n in range(100):
        executor.submit(n)
    executor.drop()
    executor.close()
    found = 0
    while executor.next(0.0) is not None:
        found += 1
    assert found < 100


def test_threads_work_at_the_same_time():
    barrier = threading.Barrier(3)
    executor = ThreadExecutor(lambda n: barrier.wait(5), 3)
    for n in range(3):
        executor.submit(n)
    assert all(d.error is None for d in collect(executor, 3))
    executor.close()


def test_urgent_jobs_go_first(make):
    held = threading.Event()
    begun = []

    def run(n):
        held.wait(5.0)
        begun.append(n)
        return n

    executor = make(run)
    at_work = executor.workers
    for n in range(at_work + 4):
        executor.submit(n)
    time.sleep(0.05)  # threads have taken what they can
    executor.submit(100, urgency=1)
    executor.submit(200, urgency=2)
    held.set()
    found = [each.result for each in collect(executor, at_work + 6)]
    assert sorted(found) == [*range(at_work + 4), 100, 200]
    assert max(found.index(100), found.index(200)) <= 2 * at_work
    if at_work == 1:
        assert found.index(200) < found.index(100)
    executor.close()
