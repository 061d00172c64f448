"""What does the player know of a play? The page's text, and what its script is told (contract 10)."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.api.html import Hosts
from apps.catalog.models import Lesson, LessonSession
from apps.catalog.screening import film_of
from apps.kernel.clock import now
from apps.kernel.localized import in_locale
from apps.plays import return_urls
from apps.plays.models import LessonPlay
from apps.plays.stages import Stage, stage_of

SPEEDS = (0.5, 0.75, 1, 1.25, 1.5, 2)


@dataclass(frozen=True, slots=True)
class Player:
    """`context` is for the template, `hosts` for the content policy."""

    context: dict[str, Any]
    hosts: Hosts


def player_of(play: LessonPlay, locale: str, *, csrf_token: str) -> Player:
    """The page of a play that is not over, in one locale."""
    lesson = play.lesson
    film = film_of(lesson, now=now())
    title = in_locale(lesson.title, locale)
    parts = _parts(play, locale)
    script = {
        "id": play.id,
        "title": title,
        "progressUrl": f"/api/lesson-plays/{play.id}/progress",
        "csrfToken": csrf_token,
        "finishUrl": finish_url(play),
        "duration": _duration(lesson, parts),
        "videos": film.videos,
        "subtitles": in_locale({each["locale"]: each["locale"] for each in film.subtitles}, locale),
        "parts": parts,
        "skipStages": skipped_stages(play),
        "playbackSpeed": play.playback_speed or 1,
        "activityTime": play.activity_time,
        "words": _words(),
    }
    context = {
        "title": title,
        "poster": film.poster,
        "parts": parts,
        "subtitles": film.subtitles,
        "speeds": [{"value": f"{speed:g}", "label": f"{speed:g}×"} for speed in SPEEDS],
        "efforts": _efforts(),
        "script": script,
    }
    return Player(context, film.hosts)


def finish_url(play: LessonPlay) -> str:
    """Where the play ends: the return URL if it may still be followed, else the result page."""
    return return_urls.followable(play.return_url, play.client.allowed_return_hosts) or result_url(play)


def result_url(play: LessonPlay) -> str:
    return reverse("lesson-play-result", args=[play.id])


def skipped_stages(play: LessonPlay) -> list[Stage]:
    wishes = {
        Stage.CALIBRATION: play.skip_calibration,
        Stage.WARM_UP: play.skip_warm_up,
        Stage.COOL_DOWN: play.skip_cool_down,
    }
    return [stage for stage, is_wished in wishes.items() if is_wished]


def in_order(lesson: Lesson) -> list[LessonSession]:
    """The timeline; a session's place in it is its index on the wire."""
    return sorted(lesson.sessions.all(), key=lambda session: session.start_seconds)


def part_title(session: LessonSession, index: int, locale: str) -> str:
    return in_locale(session.title, locale) or _("Part %(number)d") % {"number": index + 1}


def state_of(report: dict[str, Any] | None) -> str | None:
    """`done` or `skipped`; None while nothing is known of the part."""
    if report is None:
        return None
    return "skipped" if report.get("skipped") else "done"


def state_words() -> dict[str, str]:
    """What became of a part, by its state."""
    return {"done": pgettext("a part of a lesson", "Done"), "skipped": pgettext("a part of a lesson", "Skipped")}


def clock_time(seconds: float) -> str:
    """75 → `1:15`."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _parts(play: LessonPlay, locale: str) -> list[dict[str, Any]]:
    reports = {report["index"]: report for report in play.sessions}
    return [
        _part(index, session, play.lesson.algorithm, reports.get(index), locale)
        for index, session in enumerate(in_order(play.lesson))
    ]


def _part(
    index: int, session: LessonSession, algorithm: str, report: dict[str, Any] | None, locale: str
) -> dict[str, Any]:
    stage = stage_of(session.category)
    return {
        "index": index,
        "title": part_title(session, index, locale),
        "start": float(session.start_seconds),
        "end": float(session.end_seconds),
        "length": clock_time(float(session.end_seconds - session.start_seconds)),
        "stage": stage,
        "state": state_of(report),
        "ask": _ask(session, algorithm, stage),
        "target": session.target_rep_count,
        "isAnswered": bool(report and {"repCount", "engagementLevel"} & report.keys()),
    }


def _ask(session: LessonSession, algorithm: str, stage: Stage) -> str | None:
    """What the person is asked, as nobody watches through a camera: to count, or how much they joined in."""
    if algorithm == Lesson.Algorithm.REPS and session.target_rep_count is not None:
        return "reps"
    return "effort" if algorithm == Lesson.Algorithm.ENGAGEMENT and stage == Stage.MAIN else None


def _duration(lesson: Lesson, parts: list[dict[str, Any]]) -> float:
    """Until the film itself tells its length; never nothing, so that a lesson without one can be gone through."""
    return max([lesson.duration, *(part["end"] for part in parts)]) or 60.0


def _efforts() -> list[dict[str, Any]]:
    """An engagementLevel for each answer that a person can give."""
    return [
        {"level": 0, "label": _("I watched")},
        {"level": 0.25, "label": _("A little")},
        {"level": 0.5, "label": _("About half")},
        {"level": 0.75, "label": _("Most of it")},
        {"level": 1, "label": _("All of it")},
    ]


def _words() -> dict[str, Any]:
    """What the script says; `{name}` is filled in there."""
    return {
        "start": _("Start the lesson"),
        "continueAt": _("Continue at {time}"),
        "play": _("Play"),
        "pause": _("Pause"),
        "partOf": _("Part {number} of {count}"),
        "next": _("Next: {title}"),
        "skip": {
            Stage.CALIBRATION: _("Skip getting into position"),
            Stage.WARM_UP: _("Skip the warm-up"),
            Stage.COOL_DOWN: _("Skip the cool-down"),
            Stage.MAIN: _("Skip this part"),
        },
        "states": {
            "done": pgettext("a part of a lesson", "Done"),
            "skipped": pgettext("a part of a lesson", "Skipped"),
        },
        "videoMissing": _("This lesson has no video. You can go through its parts by the clock."),
        "videoBroken": _("The video cannot be played just now. Try again, or go through the parts by the clock."),
        "offline": _("No connection. Your progress is kept here and sent as soon as possible."),
        "refused": _("Your progress cannot be saved any more. Please open the lesson again with a new link."),
        "wellDone": _("Well done!"),
        "stopHere": _("Finish here?"),
        "saving": _("Saving your result …"),
        "notSaved": _("Your result is not saved yet. We keep trying; please leave this page open."),
    }
