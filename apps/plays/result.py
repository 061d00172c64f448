"""What came of a play, for the person who played it? The result page's figures, table and chart (contract 10)."""

import math
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.kernel.localized import in_locale
from apps.plays import return_urls
from apps.plays.grading import GRADES
from apps.plays.models import Grade, LessonPlay
from apps.plays.player import in_order, part_title, state_of, state_words

# In the pixels of the drawings on the page.
_BASE_LINE = 144
_TALLEST_BAR = 118
_RING = 2 * math.pi * 52


@dataclass(frozen=True, slots=True)
class Row:
    """One part of the lesson: what was reported of it, as text."""

    number: int
    title: str
    state: str
    grade: str
    reps: str
    effort: str
    similarity: str


def result_of(play: LessonPlay, locale: str) -> dict[str, Any]:
    """The template's context. Figures that nobody reported are left out, never shown as nothing."""
    reports = {report["index"]: report for report in play.sessions}
    rows = [
        _row(index, part_title(session, index, locale), reports.get(index))
        for index, session in enumerate(in_order(play.lesson))
    ]
    return {
        "title": in_locale(play.lesson.title, locale),
        "is_completed": play.is_completed,
        "completed_at": play.completed_at,
        "figures": _figures(play),
        "score": None if play.score is None else round(play.score),
        "score_arc": _arc(play.score),
        "rows": rows,
        "columns": {
            name: any(getattr(row, name) for row in rows) for name in ("grade", "reps", "effort", "similarity")
        },
        "chart": _chart(rows),
        "player_url": reverse("lesson-play-page", args=[play.id]),
        "return_url": return_urls.followable(play.return_url, play.client.allowed_return_hosts),
    }


def spoken_time(seconds: float) -> str:
    """125 → `2 min 5 s`, in the language that is on."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return _("%(seconds)d s") % {"seconds": rest}
    return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}


def _figures(play: LessonPlay) -> list[dict[str, str]]:
    found = [(_("Time"), spoken_time(play.activity_time)), (_("Calories"), f"{play.calories_burned:.0f} kcal")]
    if play.average_grade is not None:
        found.insert(0, (_("Grade"), Grade(play.average_grade).label))
    if play.total_target_rep_count:
        found.append((_("Repetitions"), f"{play.total_rep_count} / {play.total_target_rep_count}"))
    if play.average_engagement_level is not None:
        found.append((_("Joined in"), _percent(play.average_engagement_level)))
    if play.average_pose_similarity is not None:
        found.append((_("Similarity"), _percent(play.average_pose_similarity)))
    return [{"name": name, "value": value} for name, value in found]


def _row(index: int, title: str, report: dict[str, Any] | None) -> Row:
    told = report or {}
    reps = f"{told['repCount']} / {told['targetRepCount']}" if "repCount" in told else ""
    return Row(
        number=index + 1,
        title=title,
        state=state_words().get(state_of(report) or "", _("Not played")),
        grade=told.get("grade", ""),
        reps=reps,
        effort=_percent(told.get("engagementLevel")),
        similarity=_percent(told.get("poseSimilarity")),
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _arc(score: float | None) -> str:
    """A `stroke-dasharray` that draws this much of the ring."""
    drawn = _RING * (score or 0) / 100
    return f"{drawn:.1f} {_RING - drawn:.1f}"


def _chart(rows: list[Row]) -> list[dict[str, Any]]:
    """Grades as bars side by side, in per cent of the width and from the top; with one there is nothing to compare."""
    graded = [row for row in rows if row.grade]
    if len(graded) < 2:
        return []
    step = 100 / len(graded)
    return [_bar(row, place * step, step) for place, row in enumerate(graded)]


def _bar(row: Row, left: float, step: float) -> dict[str, Any]:
    height = _TALLEST_BAR * (GRADES.index(row.grade) + 1) // len(GRADES)
    return {
        "number": row.number,
        "grade": row.grade,
        "left": f"{left + step * 0.25:.2f}",
        "width": f"{step * 0.5:.2f}",
        "middle": f"{left + step / 2:.2f}",
        "top": _BASE_LINE - height,
        "height": height,
    }
