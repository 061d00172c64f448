"""What each row of a file would do, said before anything is done."""

import io
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from apps.catalog.models import BatchRow, Lesson, LessonSession, ShelfEntry
from apps.kernel.refusals import Refusal
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.catalog.batches.test_files import TEXTS
from tests.catalog.batches.uploads import catalogue, exported, outcomes, previewed, problems, table

pytestmark = pytest.mark.django_db

SESSIONS = (
    {"start_seconds": 0, "end_seconds": 60, "title": {"en": "Warm up"}, "category": "Warm Up"},
    {"start_seconds": 60, "end_seconds": 90.5, "rep_pose_id": "squat", "target_rep_count": 12},
)


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(
        demo,
        id="lesson_1",
        title={"en": "Balance Basics", "zh-Hant": "平衡基礎"},
        categories=["Strength"],
        algorithm="ENGAGEMENT",
        intensity="LOW",
        sessions=SESSIONS,
        tiers=("standard",),
    )


def only(rows: list[BatchRow]) -> BatchRow:
    [row] = rows
    return row


# --- export ---


def test_a_lesson_is_exported_in_the_words_of_the_api(demo: Client, lesson: Lesson) -> None:
    assert json.loads(exported(demo, "json")) == {
        "lessons": [
            {
                "id": "lesson_1",
                "title": {"en": "Balance Basics", "zh_Hant": "平衡基礎"},
                "duration": 10,
                "MET": 3,
                "algorithm": "Engagement",
                "intensity": "Low",
                "categories": ["Strength"],
                "areas": [],
                "equipment": "No Equipment",
                "videoURLs": [],
                "sessions": [
                    {"title": {"en": "Warm up"}, "startSeconds": 0, "endSeconds": 60, "type": "Warm Up"},
                    {
                        "title": {},
                        "startSeconds": 60,
                        "endSeconds": 90.5,
                        "type": "",
                        "repPoseId": "squat",
                        "repCount": 12,
                    },
                ],
                "isLive": True,
                "membershipTiers": ["standard"],
            }
        ]
    }


def test_a_table_has_the_same_columns_for_ever(demo: Client, lesson: Lesson) -> None:
    header, row = exported(demo, "csv").decode().splitlines()

    assert header == (
        "\ufeffid,title.en,title.zh_Hant,title.zh_Hans,description.en,description.zh_Hant,description.zh_Hans,duration,"
        "MET,algorithm,intensity,categories,areas,equipment,imageUrl,thumbImageUrl,thumbnailTimeInSeconds,videoURLs,"
        "subtitleUrl.en,subtitleUrl.zh_Hant,subtitleUrl.zh_Hans,sessions,isLive,membershipTiers"
    )
    assert row.startswith("lesson_1,Balance Basics,平衡基礎,,,,,10,3,Engagement,Low,Strength,,No Equipment,,,,,,,,")
    assert row.endswith(",TRUE,standard")


def test_a_formula_leaves_as_text_in_every_table(demo: Client) -> None:
    make.make_lesson(demo, id="-1", title={"en": '=HYPERLINK("https://x.example")', "zh-Hant": "+1", "zh-Hans": "\t@a"})
    lines = exported(demo, "csv").decode()
    sheet = load_workbook(io.BytesIO(exported(demo, "xlsx"))).worksheets[0]

    assert "'-1,\"'=HYPERLINK(" in lines
    cells = [cell for cell in sheet[2] if cell.value is not None]
    assert [cell.value for cell in cells[:4]] == ["'-1", '\'=HYPERLINK("https://x.example")', "'+1", "'\t@a"]
    assert {cell.data_type for cell in cells} == {"s"}


def test_all_lessons_are_those_that_may_be_shown(demo: Client, acme: Client, gofa: Client, lesson: Lesson) -> None:
    make.make_lesson(demo, id="lesson_old", status="archived", live=False)
    make.make_lesson(acme, id="lesson_acme")
    make.make_lesson(gofa, id="lesson_lib", title={"en": "Library"}, categories=["Secret"])
    make.make_lesson(gofa, id="lesson_lib_old", status="archived", live=False)
    found = json.loads(exported(demo, "json"))["lessons"]

    assert found[1:] == [{"id": "lesson_lib", "title": {"en": "Library"}, "isLive": False, "membershipTiers": []}]
    assert found[0]["id"] == "lesson_1"


def test_a_selection_is_exported_alone_and_holds_nobody_elses(demo: Client, acme: Client, lesson: Lesson) -> None:
    make.make_lesson(demo, id="lesson_2")
    make.make_lesson(acme, id="lesson_acme")
    found = json.loads(exported(demo, "json", ["lesson_acme", "lesson_1", "nowhere"]))

    assert [each["id"] for each in found["lessons"]] == ["lesson_1"]
    assert json.loads(exported(demo, "json", [])) == {"lessons": []}


def test_a_workbook_refuses_what_it_would_cut_off(demo: Client) -> None:
    make.make_lesson(demo, description={"en": "x" * 40_000})
    with pytest.raises(Refusal, match="Please take CSV or JSON"):
        exported(demo, "xlsx")
    assert outcomes(previewed(demo, exported(demo, "csv"))) == ["unchanged"]


def test_an_export_reads_a_page_of_lessons_in_two_queries(
    demo: Client, django_assert_num_queries: Any, monkeypatch: Any
) -> None:
    from apps.catalog.batches import exporting

    monkeypatch.setattr(exporting, "_PAGE", 3)
    ids = [make.make_lesson(demo, sessions=SESSIONS).id for _ in range(7)]
    with django_assert_num_queries(6):
        rows = list(exporting.lessons_of(demo.id))
    assert [row["id"] for row in rows] == sorted(ids)


# --- the round trip ---

WORD = TEXTS.filter(bool).map(lambda text: text[:200])
LOCALIZED = st.fixed_dictionaries({"en": TEXTS.filter(lambda text: bool(text.strip()))}, optional={"zh-Hant": TEXTS})
LESSONS = st.fixed_dictionaries(
    {
        "title": LOCALIZED,
        "description": st.dictionaries(st.sampled_from(["en", "zh-Hans"]), TEXTS),
        "duration": st.integers(100, 600_000) | st.decimals(100, 600_000, places=3).map(float),
        "met": st.floats(0, 1000),
        "algorithm": st.sampled_from(Lesson.Algorithm.values),
        "intensity": st.sampled_from(["", *Lesson.Intensity.values]),
        "categories": st.lists(WORD, max_size=3),
        "areas": st.lists(WORD, max_size=3),
        "equipment": st.lists(WORD | st.sampled_from(["No Equipment", "a;b", " "]), max_size=2),
        # Older than a rule: a lesson that stands there is not held against what came later.
        "image_url": st.sampled_from(["", "/static/demo/a.webp", "https://x.example/a"]),
        "thumbnail_time_in_seconds": st.none() | st.floats(0, 100),
        "video_urls": st.lists(st.sampled_from(["https://x.example/a;b", "https://x.example/c"]), max_size=2),
        "subtitle_url": st.dictionaries(st.sampled_from(["en", "zh-Hant"]), st.just("https://x.example/a.vtt")),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LESSONS, st.booleans(), st.lists(st.sampled_from(["standard", "premium"]), unique=True), TEXTS, st.booleans())
def test_what_was_exported_changes_nothing_when_it_comes_back(
    demo: Client, fields: dict[str, Any], live: bool, tiers: list[str], text: str, is_own: bool
) -> None:
    owner = demo if is_own else Client.objects.get(pk="gofa")
    session = {"start_seconds": "0.001", "end_seconds": "99.999", "title": {"en": text}, "category": text[:100]}
    with binding.bound(binding.ALL_CLIENTS):
        Lesson.objects.all().delete()
        lesson = make.make_lesson(owner, live=live, tiers=tuple(tiers), sessions=(session,), **fields)
    if not is_own:
        make.put_on_shelf(demo, lesson, live=live, tiers=tuple(tiers))
    for kind in ("csv", "xlsx", "json"):
        row = only(previewed(demo, exported(demo, kind), f"lessons.{kind}"))
        assert (row.outcome, row.fields, row.problems) == ("unchanged", {}, []), kind


# --- what a row would do ---


def test_a_row_without_an_id_is_a_new_lesson_with_the_apis_rules(demo: Client) -> None:
    row = only(previewed(demo, table("id,title.en,title.zh,duration,algorithm,equipment", ",New,新,1.5,reps,Chair")))

    assert (row.outcome, row.name, row.before) == ("new", "New", {})
    assert row.fields == {
        "title": {"en": "New", "zh-Hant": "新"},
        "duration": 90,
        "algorithm": "REPS",
        "equipment": ["Chair"],
    }


def test_a_row_with_an_id_changes_only_what_differs(demo: Client, lesson: Lesson) -> None:
    header = "id,title.en,title.zh_Hant,duration,intensity,isLive"
    row = only(previewed(demo, table(header, "lesson_1,Balance,平衡基礎,10.0,low,FALSE")))

    assert row.outcome == "changed"
    assert row.fields == {"title": {"en": "Balance", "zh-Hant": "平衡基礎"}, "is_live": False}
    assert row.before == {"title": {"en": "Balance Basics", "zh-Hant": "平衡基礎"}, "is_live": True}


def test_an_empty_cell_empties_what_can_be_empty_and_nothing_else(demo: Client, lesson: Lesson) -> None:
    header = "id,title.zh_Hant,duration,MET,algorithm,intensity,categories,sessions,isLive,membershipTiers"
    row = only(previewed(demo, table(header, "lesson_1,,,,,,,,,")))

    assert row.fields == {
        "title": {"en": "Balance Basics"},
        "intensity": "",
        "categories": [],
        "sessions": [],
    }
    assert only(previewed(demo, table("id,membershipTiers", "lesson_1,[]"))).fields == {"membership_tiers": []}


def test_json_takes_away_with_null_as_the_api_does(demo: Client, lesson: Lesson) -> None:
    row = only(previewed(demo, b'[{"id": "lesson_1", "title": {"zh": null}}]', "lessons.json"))

    assert row.fields == {"title": {"en": "Balance Basics"}}


def test_each_problem_stands_beside_its_column(demo: Client, lesson: Lesson) -> None:
    header = "id,title.en,duration,MET,algorithm,imageUrl,sessions,membershipTiers"
    session = '"[{""startSeconds"": 0, ""endSeconds"": 700}]"'
    rows = previewed(
        demo,
        table(
            header,
            ",,-1,x,Dancing,javascript:1,,",
            "lesson_1,,,,,,,",
            f"lesson_1,,,,,,{session},gold",
            ',A,,,,,"[{}]",',
        ),
    )

    assert outcomes(rows) == ["wrong"] * 4
    assert problems(rows) == [
        [
            ("MET", "Must be a number, with a point before its fraction."),
            ("title.en", "A new lesson needs an English title."),
            ("duration", "Ensure this value is greater than or equal to 0."),
            ("algorithm", "Must be one of Engagement, Reps, Mirroring, Video."),
            ("imageUrl", "Must be an absolute http(s) address, or begin with /api/media/."),
        ],
        [("title.en", "The text of en must not be blank.")],
        [
            ("id", "Another row is about the same lesson."),
            ("title.en", "The text of en must not be blank."),
        ],
        [
            ("sessions", "0.startSeconds: This field is required."),
            ("sessions", "0.endSeconds: This field is required."),
        ],
    ]


def test_rules_of_the_whole_lesson_are_said_in_the_preview(demo: Client, lesson: Lesson) -> None:
    rows = previewed(demo, table("id,title.en,duration,membershipTiers", "lesson_1,A,1,", ",B,1,gold"))

    assert problems(rows) == [
        [("sessions", "1.endSeconds: Must not be after the end of the lesson.")],
        [("membershipTiers", '0: There is no tier "gold".')],
    ]


def test_an_archived_lesson_cannot_be_made_live(demo: Client) -> None:
    make.make_lesson(demo, id="lesson_old", status="archived", live=False)
    [row] = previewed(demo, table("id,isLive", "lesson_old,TRUE"))

    assert problems([row]) == [[("isLive", "An archived lesson cannot be live.")]]


def test_another_clients_lesson_is_as_unknown_as_one_that_never_was(demo: Client, acme: Client) -> None:
    make.make_lesson(acme, id="lesson_acme")
    rows = previewed(demo, table("id,title.en", "lesson_acme,A", "lesson_none,A", f"{'x' * 100},A"))

    assert outcomes(rows) == ["wrong"] * 3
    assert problems(rows) == [[("id", "There is no lesson with this id.")]] * 3
    with binding.bound(binding.ALL_CLIENTS):
        # Platform staff who see everybody's lessons import for one client all the same.
        assert outcomes(previewed(demo, table("id,title.en", "lesson_acme,A"))) == ["wrong"]


def test_another_clients_media_is_no_file(demo: Client, acme: Client) -> None:
    rows = previewed(demo, table("title.en,imageUrl", "A,/api/media/acme/a.png", "B,/api/media/demo/a.png"))

    assert problems(rows) == [[("imageUrl", "There is no such file.")], []]


def test_of_a_library_lesson_only_the_shelf_can_change(demo: Client, gofa: Client) -> None:
    make.make_lesson(gofa, id="lesson_lib", title={"en": "Library"})
    rows = previewed(demo, table("id,title.en,MET,isLive,membershipTiers", "lesson_lib,Library,,TRUE,premium"))
    assert rows[0].fields == {"is_live": True, "membership_tiers": ["premium"]}

    rows = previewed(demo, table("id,title.en,MET,isLive", "lesson_lib,Mine,9,TRUE"))
    words = "A lesson of the library can be shown, hidden and tiered, not edited."
    assert problems(rows) == [[("title.en", words), ("MET", words)]]


def test_a_preview_writes_nothing(demo: Client, lesson: Lesson) -> None:
    before = catalogue(demo)
    previewed(demo, table("id,title.en,isLive", "lesson_1,A,FALSE", ",B,TRUE"))

    assert catalogue(demo) == before


def test_a_preview_asks_twice_however_many_rows(demo: Client, lesson: Lesson, django_assert_num_queries: Any) -> None:
    make.make_lesson(demo, id="lesson_2", sessions=SESSIONS)
    with django_assert_num_queries(2):
        rows = previewed(demo, table("id,title.en,duration", "lesson_1,A,20", "lesson_2,B,30", *[",C,1"] * 50))
    assert len(rows) == 52


def test_hundredths_of_a_second_are_the_same_time(demo: Client) -> None:
    lesson = make.make_lesson(demo, duration=100.1234)
    with binding.bound("demo"):
        LessonSession.objects.create(client=demo, lesson=lesson, start_seconds=Decimal("0.1"), end_seconds=Decimal(100))
        assert ShelfEntry.objects.get().is_live
    assert outcomes(previewed(demo, exported(demo, "csv"))) == ["unchanged"]
