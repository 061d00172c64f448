"""Which films does the demo have, and what is seen in each of them at which second?"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.ops.demo.exercises import EXERCISES
from apps.ops.demo.figure import Pose
from apps.ops.demo.movement import Movement, between

# The coach takes this long from one exercise to the next, inside the scene that begins.
LEAD_IN_SECONDS = 1.2


@dataclass(frozen=True)
class Scene:
    """One exercise of a film."""

    exercise: str
    title: Mapping[str, str]
    stage: str  # calibration, warm_up, main or cool_down
    start: int
    end: int
    cycles: int

    @property
    def movement(self) -> Movement:
        return EXERCISES[self.exercise]

    @property
    def repetitions(self) -> int:
        """How many repetitions are seen; 0 where nobody counts."""
        return self.cycles * self.movement.repetitions

    def progress(self, second: float) -> float:
        """How many cycles are done at a second of the film, with the fraction of the one under way."""
        moving = self.end - self.start - LEAD_IN_SECONDS
        return self.cycles * min(max((second - self.start - LEAD_IN_SECONDS) / moving, 0.0), 1.0)

    def pose(self, second: float, before: Pose) -> Pose:
        """The coach's pose at a second of the film, coming from where the scene before ended."""
        done = self.progress(second)
        if done <= 0.0:
            return between(before, self.movement.rest, (second - self.start) / LEAD_IN_SECONDS)
        return self.movement.pose(done % 1.0 if done < self.cycles else 1.0)


@dataclass(frozen=True)
class Film:
    """One film: how it looks and what happens in it."""

    slug: str
    title: Mapping[str, str]
    trainer: str
    equipment: tuple[str, ...]
    palette: Mapping[str, str]
    hair: str  # short, bun or ponytail
    has_chair: bool
    zoom: float  # how much larger than standing people the coach is drawn
    still: float  # the second that poster and thumbnail show
    scenes: tuple[Scene, ...]

    @property
    def seconds(self) -> int:
        return self.scenes[-1].end

    def scene_at(self, second: float) -> int:
        return next(i for i, scene in enumerate(self.scenes) if second < scene.end or scene is self.scenes[-1])

    def pose(self, second: float) -> Pose:
        index = self.scene_at(second)
        scene = self.scenes[index]
        before = self.scenes[index - 1].movement if index else scene.movement
        return scene.pose(second, before.rest)

    def facing(self, second: float) -> float:
        """How far the coach has turned, in degrees; the turn takes the lead-in."""
        index = self.scene_at(second)
        scene = self.scenes[index]
        before = self.scenes[max(index - 1, 0)].movement.facing
        part = min((second - scene.start) / LEAD_IN_SECONDS, 1.0)
        return before + (scene.movement.facing - before) * part * part * (3 - 2 * part)


def _film(entry: dict[str, Any]) -> Film:
    scenes, start = [], 0
    for scene in entry["scenes"]:
        end = start + scene["seconds"]
        scenes.append(Scene(scene["exercise"], scene["title"], scene["stage"], start, end, scene["cycles"]))
        start = end
    return Film(
        slug=entry["slug"],
        title=entry["title"],
        trainer=entry["trainer"],
        equipment=tuple(entry["equipment"]),
        palette=entry["palette"],
        hair=entry["hair"],
        has_chair="Chair" in entry["equipment"],
        zoom=entry.get("zoom", 1.0),
        still=entry["still"],
        scenes=tuple(scenes),
    )


def _read() -> dict[str, Film]:
    source = Path(__file__).with_name("films.toml").read_text(encoding="utf-8")
    return {entry["slug"]: _film(entry) for entry in tomllib.loads(source)["film"]}


FILMS: dict[str, Film] = _read()
