"""What staff see of plan plays (contract 11): who walks which plan and how far, and nothing that they could change."""

import gettext
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client as Browser

from apps.accounts.models import User
from apps.plans.models import PlanPlay
from apps.tenants.models import Client, EndUser
from tests import make

LIST = "/admin/plans/planplay/"


@pytest.fixture
def walk(ada: EndUser, demo: Client) -> PlanPlay:
    """A plan of three places, the first and the last the same lesson."""
    first, second = (make.make_lesson(demo, title={"en": title}) for title in ("Stand", "Turn"))
    return make.make_plan_play(ada, make.make_plan(demo, first, second, first, id="plan_balance"))


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


def page(browser: Browser, path: str) -> str:
    response = browser.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_a_walk_shows_its_lessons_by_title_and_how_far_it_is(browser: Browser, ada: EndUser, walk: PlanPlay) -> None:
    first = walk.planned_lessons[0]
    half = make.make_plan_play(
        ada, walk.plan, completed_lessons=[first], total_lessons_completed=1, current_lesson_index=1
    )
    shown = page(browser, f"{LIST}{half.id}/change/")
    assert "<li>Stand ✓</li><li>→ Turn</li><li>Stand ✓</li>" in shown
    assert "1 of 3" in shown
    assert 'type="submit"' not in shown.split('id="planplay_form"')[1]


def test_the_list_is_found_by_user_and_plan(browser: Browser, ben: EndUser, walk: PlanPlay) -> None:
    bens = make.make_plan_play(ben, walk.plan)
    assert walk.id in page(browser, LIST)
    found = page(browser, f"{LIST}?q=ben")
    assert bens.id in found
    assert walk.id not in found
    assert bens.id in page(browser, f"{LIST}?q=plan_balance")
    assert bens.id not in page(browser, f"{LIST}?plan=nothing")


@pytest.mark.parametrize("locale", ["zh_Hant", "zh_Hans"])
def test_every_word_is_there_in_both_scripts(locale: str) -> None:
    folder = Path(settings.BASE_DIR) / "apps/plans/locale" / locale / "LC_MESSAGES"
    words = gettext.GNUTranslations((folder / "django.mo").open("rb"))
    for word in ("planned lessons", "The ID of a plan play, a user or a plan", "%(done)s of %(planned)s"):
        assert words.gettext(word) != word
    for status in PlanPlay.Status:
        assert words.pgettext("plan play", status.name.title()) != status.name.title()
