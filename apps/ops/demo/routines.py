"""Which exercises and routines does the demo begin with?"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class DemoExercise:
    """One movement of the library. `measure` is `reps` or `seconds`; `suits` are the fall-risk tiers that may do it."""

    id: str
    goal: str
    measure: str
    equipment: tuple[str, ...]
    suits: tuple[str, ...]
    name: Mapping[str, str]
    description: Mapping[str, str]


@dataclass(frozen=True)
class DemoStep:
    """An exercise for so many repetitions or so many seconds, then rest in seconds."""

    exercise: str
    rest: int
    reps: int | None = None
    seconds: int | None = None
    guided: bool = False


@dataclass(frozen=True)
class DemoRoutine:
    """A published routine; one of the library names the clients that have chosen to show it."""

    id: str
    client: str
    goal: str
    intensity: str
    minutes: int
    equipment: tuple[str, ...]
    risk_tiers: tuple[str, ...]
    visible_to: tuple[str, ...]
    name: Mapping[str, str]
    description: Mapping[str, str]
    steps: tuple[DemoStep, ...]


def _exercise(entry: dict[str, Any]) -> DemoExercise:
    return DemoExercise(**{**entry, "equipment": tuple(entry["equipment"]), "suits": tuple(entry["suits"])})


def _routine(entry: dict[str, Any]) -> DemoRoutine:
    lists = {key: tuple(entry[key]) for key in ("equipment", "risk_tiers", "visible_to")}
    return DemoRoutine(**{**entry, **lists, "steps": tuple(DemoStep(**step) for step in entry["steps"])})


def _read(file: str, kind: str) -> list[dict[str, Any]]:
    source = Path(__file__).with_name(file).read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = tomllib.loads(source)[kind]
    return entries


EXERCISES: dict[str, DemoExercise] = {
    entry["id"]: _exercise(entry) for entry in _read("exercise_library.toml", "exercise")
}

ROUTINES: tuple[DemoRoutine, ...] = tuple(_routine(entry) for entry in _read("routines.toml", "routine"))
