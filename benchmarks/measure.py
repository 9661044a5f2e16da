"""Runs contenders in turns, so that whatever else the machine does hits all of them alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """Milliseconds of one contender: CPU of this process, or the wall clock."""

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    def __str__(self) -> str:
        return f"{self.median:9.2f} ms  (min {min(self.samples):.2f}, max {max(self.samples):.2f})"


def in_turns(
    contenders: dict[str, Callable[[], object]], *, rounds: int, clock: str = "cpu"
) -> dict[str, Result]:
    """Each round calls every contender once; the first round warms up and is not counted."""
    ticks = time.process_time if clock == "cpu" else time.perf_counter
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds + 1):
            for name, call in contenders.items():
                start = ticks()
                call()
                if turn:
                    taken[name].append((ticks() - start) * 1000)
    finally:
        gc.enable()
    return {name: Result(tuple(samples)) for name, samples in taken.items()}


@dataclass(frozen=True)
class Line:
    """One ratio. With a `bound` it is a promise: at most, or at least, so much; without, it is only told."""

    what: str
    ratio: float
    bound: float | None = None
    at_most: bool = True

    @property
    def holds(self) -> bool:
        if self.bound is None:
            return True
        return self.ratio <= self.bound if self.at_most else self.ratio >= self.bound

    def __str__(self) -> str:
        if self.bound is None:
            return f"  told {self.what}: {self.ratio:.2f} × (no promise)"
        sign = "≤" if self.at_most else "≥"
        return f"  {'ok  ' if self.holds else 'MISS'} {self.what}: {self.ratio:.2f} × (promised {sign} {self.bound:g} ×)"


def report(title: str, results: dict[str, Result], lines: list[Line]) -> bool:
    print(f"\n{title}")
    for name, result in results.items():
        print(f"  {name:<34}{result}")
    for line in lines:
        print(line)
    return all(line.holds for line in lines)
