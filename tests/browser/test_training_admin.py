"""Training in the admin in a real browser: steps put in order by keyboard and by mouse, published; a person's page."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.ai_training import services
from apps.ai_training.models import Exercise, RoutineTemplate, RoutineTemplateVersion
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.browser.conftest import PHONE
from tests.browser.test_admin import sign_in
from tests.browser.test_pages_for_everybody import SCHEMES, assert_fits, serious_findings

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/ai_training/routinetemplate/"


@pytest.fixture
def gofa(db: None) -> Client:
    return make.make_client("gofa", name="GOFA", modules=["ai_training"])


@pytest.fixture
def demo(gofa: Client) -> Client:
    return make.make_client("demo", modules=["ai_training"])


@pytest.fixture
def exercises(demo: Client) -> list[Exercise]:
    named = [("march", "March", "踏步"), ("squat", "Squat", "深蹲"), ("reach", "Reach", "伸手")]
    return [make.make_exercise(demo, key, name={"en": en, "zh-Hant": hant}) for key, en, hant in named]


@pytest.fixture
def steady(demo: Client, exercises: list[Exercise]) -> RoutineTemplate:
    steps = ({"exercise": each, "rest_seconds": 20} for each in exercises)
    return make.make_template(demo, *steps, name={"en": "Steady feet on long and winding roads"})


def page_of(template: RoutineTemplate, name: str = "change") -> str:
    return f"{LIST}{template.pk}/{name}/"


def order(page: Page) -> list[str]:
    found = page.locator(".gofa-step:visible .select2-selection__rendered")
    return [str(title) for title in found.evaluate_all("found => found.map(each => each.title)")]


def said(template: RoutineTemplate) -> dict[str, list[str]]:
    with binding.bound("demo"):
        rows = RoutineTemplateVersion.objects.filter(template=template)
        return {row.status: [step["exercise_id"] for step in services.content_of(row)["steps"]] for row in rows}


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist li.success")).to_be_visible()


def test_a_routine_is_written_by_keyboard(page: Page, cleo: User, exercises: list[Exercise]) -> None:
    sign_in(page, cleo)
    page.goto(f"{LIST}add/")
    page.locator(".field-name").get_by_label("English").fill("Steady feet")
    for words, label in (("踏步", "March"), ("squ", "Squat")):
        page.get_by_role("button", name="Add a step").press("Enter")
        row = page.locator(".gofa-step:visible").last
        row.locator(".select2-selection").press("Enter")
        page.locator(".select2-search__field").fill(words)
        expect(page.locator(".select2-results__option")).to_have_text([label])
        page.keyboard.press("Enter")
        expect(row.locator(".select2-selection__rendered")).to_have_attribute("title", label)
        row.get_by_label("Target").fill("12")
    up = page.get_by_role("button", name="Move Squat up")
    up.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Squat is at place 1 of 2 now.")).to_be_attached()
    expect(up).to_be_focused()
    save(page)
    with binding.bound("demo"):
        template = RoutineTemplate.objects.get()
    assert said(template) == {"draft": ["squat", "march"]}


def test_steps_are_dragged_and_taken_out_and_published_after_a_look_at_what_changes(
    page: Page, cleo: User, steady: RoutineTemplate
) -> None:
    sign_in(page, cleo)
    page.goto(page_of(steady))
    expect(page.locator(".select2-selection").first).to_be_visible()
    rows = page.locator(".gofa-step:visible")
    rows.nth(0).scroll_into_view_if_needed()
    grip, last = rows.nth(0).locator("[data-grip]").bounding_box(), rows.nth(2).bounding_box()
    assert grip
    assert last
    page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] - 8)
    page.mouse.down()
    page.mouse.move(grip["x"] + 4, last["y"] + last["height"] - 4, steps=8)
    page.mouse.up()
    assert order(page) == ["Squat", "Reach", "March"]
    page.get_by_role("button", name="Take Reach out").click()
    assert order(page) == ["Squat", "March"]
    save(page)
    assert said(steady) == {"published": ["march", "squat", "reach"], "draft": ["squat", "march"]}

    page.get_by_role("link", name="Publish…").click()
    expect(page.locator("li[data-kind=removed]")).to_contain_text("Reach")
    expect(page.locator("li[data-kind=moved]")).to_have_count(1)
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.get_by_text("The routine is published.")).to_be_visible()
    assert said(steady)["published"] == ["squat", "march"]


@pytest.fixture
def without_script(new_page: Callable[..., Page], cleo: User) -> Page:
    page = new_page(java_script_enabled=False)
    sign_in(page, cleo)
    return page


def test_without_a_script_the_order_is_typed(
    without_script: Page, steady: RoutineTemplate, exercises: list[Exercise]
) -> None:
    page = without_script
    page.goto(page_of(steady))
    rows = page.locator(".gofa-step")
    expect(rows).to_have_count(4)
    rows.nth(2).get_by_label("Place").fill("0")
    rows.nth(0).get_by_label("Take out").check()
    rows.nth(3).get_by_label("Exercise").select_option(label="March")
    rows.nth(3).get_by_label("Target").fill("5")
    save(page)
    assert said(steady)["draft"] == ["reach", "squat", "march"]


@pytest.fixture
def in_training(demo: Client, ada: EndUser, steady: RoutineTemplate) -> EndUser:
    with binding.bound("demo"):
        plan = services.generate_plan(client=demo, uid="ada", asked={"goal": "balance"}, now=now()).plan
    make.make_template(demo, name={"en": "Other"})
    make.make_routine_run(ada, make.make_instance(ada, steady, plan, status="in-progress"))
    return ada


def test_staff_decide_about_a_queue(page: Page, cleo: User, in_training: EndUser) -> None:
    sign_in(page, cleo)
    page.goto(f"/admin/tenants/enduser/{in_training.pk}/change/")
    page.get_by_role("link", name="Training of this person").click()
    expect(page.locator(".gofa-plot").first).to_be_visible()
    row = page.locator(".gofa-queue > li").first
    row.locator("summary").click()
    row.get_by_label("Decision").select_option(label="Cancel it")
    row.get_by_label("Reason").fill("Knee hurts")
    row.get_by_role("button", name="Do it").click()
    expect(page.get_by_text("winding roads is cancelled.")).to_be_visible()
    page.get_by_text("What is no longer in the queue").click()
    expect(page.get_by_text("Knee hurts")).to_be_visible()


def addresses(person: EndUser, template: RoutineTemplate) -> list[str]:
    pages = ("change", "preview", "publish", "versions", "archive")
    training = "/admin/ai_training/"
    return [
        LIST,
        f"{LIST}add/",
        f"{LIST}library/",
        *(page_of(template, name) for name in pages),
        f"{page_of(template, 'version')}?number=1",
        f"{training}exercise/",
        f"{training}exercise/add/",
        f"{training}trainingplan/",
        f"{training}trainingplan/person/{person.pk}/",
        f"{training}routinerun/",
    ]


@pytest.fixture
def changed(steady: RoutineTemplate, demo: Client, gofa: Client) -> RoutineTemplate:
    """With a draft, so that there are differences to show; and a library to choose from."""
    make.make_template(gofa, name={"en": "Lift"})
    with binding.bound("demo"):
        [published] = RoutineTemplateVersion.objects.filter(template=steady)
        fields: Any = {"minutes": 45, "steps": services.content_of(published)["steps"][1::-1]}
        services.update_template(client=demo, template_id=steady.pk, fields=fields, author="cleo", now=now())
    return steady


def open_details(page: Page) -> None:
    page.evaluate("document.querySelectorAll('#main details').forEach(each => { each.open = true; })")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_serious(
    new_page: Callable[..., Page], cleo: User, in_training: EndUser, changed: RoutineTemplate, scheme: str
) -> None:
    page = new_page(color_scheme=scheme)
    sign_in(page, cleo)
    for address in addresses(in_training, changed):
        page.goto(address)
        open_details(page)
        assert serious_findings(page) == [], address


@pytest.mark.parametrize("language", ["en", "zh-hant", "zh-hans"])
def test_nothing_is_wider_than_a_phone(
    new_page: Callable[..., Page], cleo: User, in_training: EndUser, changed: RoutineTemplate, language: str
) -> None:
    page = new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    sign_in(page, cleo)
    page.get_by_label("Language").select_option(language)
    expect(page.locator(f"html[lang={language}]")).to_be_attached()
    page.wait_for_load_state()
    for address in addresses(in_training, changed):
        page.goto(address)
        open_details(page)
        assert_fits(page)


def test_when_a_run_was_begun_is_one_line_on_a_phone(
    new_page: Callable[..., Page], cleo: User, in_training: EndUser
) -> None:
    page = new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    sign_in(page, cleo)
    page.get_by_label("Language").select_option("zh-hant")
    expect(page.locator("html[lang=zh-hant]")).to_be_attached()
    page.wait_for_load_state()
    page.goto(f"/admin/ai_training/trainingplan/person/{in_training.pk}/")
    assert page.locator(".gofa-run-steps tbody th a").evaluate("link => link.getClientRects().length") == 1
