"""The simulation, shortly: some worlds keep every promise, and each server that is broken on purpose is found."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.measuring import unmeasured
from tests.torture.simulation_loop import Actor, Stuck, VirtualLoop

WORLDS = 12


def simulation(*arguments: str, is_measured: bool = False) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the order of sets of strings is part of a seed."""
    command = [sys.executable, "-m", "tests.torture", "simulation", *arguments]
    environment = {**(os.environ if is_measured else unmeasured()), "PYTHONHASHSEED": "0"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)  # noqa: S603 - ourselves


def test_every_promise_is_kept_in_some_worlds() -> None:
    run = simulation("--first", "1", "--seeds", str(WORLDS), "--seconds", "12")
    assert run.returncode == 0, run.stdout[-10_000:] + run.stderr[-2_000:]
    for what in ("nodes killed", "write unknown: late", "hint lost", "half-open", "answer replayed", "reset"):
        assert f" {what}\n" in run.stdout  # a world in which nothing goes wrong proves little


def test_servers_that_are_broken_on_purpose_are_found() -> None:
    run = simulation("--mutants")
    assert run.returncode == 0, run.stdout + run.stderr[-2_000:]


def test_a_seed_is_the_same_world_in_every_process_and_another_seed_another() -> None:
    first, again = (
        simulation("--first", "3", "--seeds", "2", "--traces", "--seconds", "12", is_measured=is_measured)
        for is_measured in (True, False)
    )
    worlds = [line for line in first.stdout.splitlines() if line.startswith("seed ")]
    assert worlds == [line for line in again.stdout.splitlines() if line.startswith("seed ")]
    assert len({world.split()[-1] for world in worlds}) == 2


# --- the loop


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop(random.Random(1))  # type: ignore[abstract]  # noqa: S311 - no I/O, no secret
    yield made
    made.close()


def test_time_jumps_to_the_next_timer(loop: VirtualLoop) -> None:
    async def wait() -> float:
        await asyncio.sleep(3_600)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.Event().wait()
        return loop.time()

    assert loop.run_until_complete(wait()) == 3_660


def test_what_waits_for_nothing_that_can_happen_is_said_to_be_stuck(loop: VirtualLoop) -> None:
    with pytest.raises(Stuck):
        loop.run_until_complete(asyncio.Event().wait())


def test_of_who_is_killed_nothing_runs_any_more(loop: VirtualLoop) -> None:
    done: list[str] = []
    victim = Actor(loop, "victim")

    async def work() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            done.append("cleaned up")

    async def watch() -> None:
        victim.spawn(work())
        await asyncio.sleep(5)
        victim.kill()
        await asyncio.sleep(10)

    loop.run_until_complete(watch())
    assert done == []


def test_one_actors_callbacks_keep_their_order_and_actors_take_turns_at_random(loop: VirtualLoop) -> None:
    done: list[tuple[str, int]] = []

    async def begin() -> None:
        for number in range(20):
            for actor in actors:
                actor.soon(0, lambda name=actor.name, number=number: done.append((name, number)))  # type: ignore[misc]
        await asyncio.sleep(1)

    actors = [Actor(loop, "a"), Actor(loop, "b")]
    loop.run_until_complete(begin())
    for actor in actors:
        assert [number for name, number in done if name == actor.name] == list(range(20))
    assert done != sorted(done, key=lambda it: it[1])


def test_an_exception_that_nobody_catches_is_remembered(loop: VirtualLoop) -> None:
    async def fail_later() -> None:
        loop.call_soon(lambda: 1 // 0)
        await asyncio.sleep(1)

    loop.run_until_complete(fail_later())
    assert ["ZeroDivisionError" in fault for fault in loop.faults] == [True]
