from __future__ import annotations

import math

from modelshelf.executors import SimulatedExecutor


def spans(executor, jobs):
    """(job, when it came back) for each of them."""
    for job in jobs:
        executor.submit(job)
    found = []
    while (done := executor.next(math.inf)) is not None:
        found.append((done.job, executor.now))
    return found


def test_the_clock_runs_to_the_job_that_is_done_next():
    executor = SimulatedExecutor(str, 2, seconds=float)
    assert spans(executor, (5, 1, 3, 2)) == [(1, 1.0), (3, 4.0), (5, 5.0), (2, 6.0)]


def test_workers_share_the_work():
    def took(workers):
        return spans(SimulatedExecutor(str, workers, seconds=float), [1] * 12)[-1][1]

    assert [took(n) for n in (1, 3, 4, 12)] == [12.0, 4.0, 3.0, 1.0]


def test_equal_times_come_back_in_the_order_of_their_beginning():
    executor = SimulatedExecutor(str, 3, seconds=lambda job: 1.0)
    assert [job for job, _ in spans(executor, "cabdfe")] == list("cabdfe")


def test_a_timeout_passes_in_simulated_time():
    executor = SimulatedExecutor(str, 1, seconds=float)
    executor.submit(3)
    assert executor.next(2.0) is None
    assert executor.now == 2.0
    assert executor.next(1.0).job == 3
    assert executor.now == 3.0
    assert executor.next(math.inf) is None
    assert executor.now == 3.0


def test_what_is_at_work_when_the_rest_is_dropped_comes_back():
    executor = SimulatedExecutor(str, 1, seconds=float)
    for job in (1, 2):
        executor.submit(job)
    assert executor.running == (1,)
    executor.drop()
    assert [job for job, _ in spans(executor, ())] == [1]
    executor.submit(1)
    executor.close()
    assert executor.next(math.inf) is None
