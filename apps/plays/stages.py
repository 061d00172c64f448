"""What is a part of a lesson for? A client words its categories freely; a play's skip flags mean three of them."""

import re
from enum import StrEnum


class Stage(StrEnum):
    CALIBRATION = "calibration"
    WARM_UP = "warm_up"
    MAIN = "main"
    COOL_DOWN = "cool_down"


# "Warm Up", "warm-up" and "WARM_UP" are one word.
_BY_WORD = {"calibration": Stage.CALIBRATION, "warmup": Stage.WARM_UP, "cooldown": Stage.COOL_DOWN}


def stage_of(category: str) -> Stage:
    return _BY_WORD.get(re.sub(r"[\W_]+", "", category).casefold(), Stage.MAIN)
