"""What can be published, and where each fault is (contract 9, 12)."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from apps.delivery.manifest import canonical, compile_manifest
from apps.delivery.validation import catalog_lesson_ids, meaning_faults, schema, shape_faults
from tests.make import a_manifest

LESSONS = "/modules/0/lessons"


def lesson(lesson_id: str, *prerequisites: str, to: dict[str, str] | None = None, **over: Any) -> dict[str, Any]:
    branches = [{"choice": choice, "targetLessonId": target} for choice, target in (to or {}).items()]
    return {"id": lesson_id, "prerequisites": list(prerequisites), "branches": branches, **over}


def faults(*lessons: dict[str, Any], known: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    document = a_manifest(*lessons)
    assert shape_faults(document) == []
    return [(fault.pointer, fault.detail) for fault in meaning_faults(document, known_catalog_lessons=known)]


def test_the_contracts_manifest_is_fine() -> None:
    block = {"id": "blk_01", "kind": "video", "text": {"en": "Look."}, "lessonId": "lesson_1"}
    gate = {"kind": "min_score", "minScore": 0.8}
    document = a_manifest(
        lesson("les_00", blocks=[block]),
        lesson("les_01", "les_00", gate=gate, to={"scenario_a": "les_07"}),
        lesson("les_07"),
    )
    assert shape_faults(document) == []
    assert catalog_lesson_ids(document) == {"lesson_1"}
    assert meaning_faults(document, known_catalog_lessons={"lesson_1"}) == []


def test_the_schema_is_a_schema() -> None:
    assert list(Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema())) == []


@pytest.mark.parametrize(
    ("document", "pointers"),
    [
        ("modules", [""]),
        ({}, [""]),
        ({"modules": []}, ["/modules"]),
        (a_manifest({"id": 7}), [f"{LESSONS}/0/id"]),
        (a_manifest({"id": "a/b"}), [f"{LESSONS}/0/id"]),
        (a_manifest({"id": "les_01\n"}), [f"{LESSONS}/0/id"]),
        (a_manifest({"required": "yes"}), [f"{LESSONS}/0/required"]),
        (a_manifest({}, {"gate": {"kind": "prayer"}}), [f"{LESSONS}/1/gate/kind"]),
        (a_manifest({"gate": {"kind": "min_score"}}), [f"{LESSONS}/0/gate"]),
        (a_manifest({"gate": {"kind": "min_score", "minScore": 1.1}}), [f"{LESSONS}/0/gate/minScore"]),
        (a_manifest({"branches": [{"choice": "a"}]}), [f"{LESSONS}/0/branches/0"]),
        (a_manifest({"blocks": [{"id": "blk", "kind": "song"}]}), [f"{LESSONS}/0/blocks/0/kind"]),
        (
            a_manifest({"title": {"fr": "Bonjour"}, "prerequisites": "les_01"}),
            [f"{LESSONS}/0/prerequisites", f"{LESSONS}/0/title"],
        ),
    ],
)
def test_a_wrong_shape_is_pointed_at(document: Any, pointers: list[str]) -> None:
    assert [fault.pointer for fault in shape_faults(document)] == pointers


@pytest.mark.parametrize(
    ("lesson", "details"),
    [
        ({"gate": None}, ["It must be an object."]),
        ({"required": "yes"}, ["It must be true or false."]),
        ({"blocks": [{"id": "blk", "kind": "video", "lessonId": 7}]}, ["It must be a text or null."]),
        ({"branches": [{"choice": ""}]}, ['"targetLessonId" is required.', "It is empty."]),
        ({"branches": [{"choice": "a" * 101, "targetLessonId": "b"}]}, ["It is longer than 100."]),
        ({"gate": {"kind": True}}, ["true is not one of none, acknowledge, min_score."]),
        ({"gate": {"kind": "min_score"}}, ['"minScore" is required.']),
        ({"gate": {"kind": "min_score", "minScore": -1}}, ["It must be at least 0."]),
        ({"gate": {"kind": "min_score", "minScore": 1.5}}, ["It must be at most 1."]),
        ({"title": {"fr": "Bonjour"}}, ['"fr" is not one of en, zh-Hant, zh-Hans, zh_Hant, zh_Hans, zh.']),
        ({"prerequisites": ["é" * 200]}, [f'"{"é" * 98}… is no id: 1 to 64 letters, digits or any of _ . : -']),
    ],
)
def test_a_wrong_shape_is_told_in_words_of_json(lesson: dict[str, Any], details: list[str]) -> None:
    assert [fault.detail for fault in shape_faults(a_manifest(lesson))] == details


def test_a_fault_is_told_from_where_the_manifest_is() -> None:
    (fault,) = meaning_faults(a_manifest(lesson("les_01", "les_09")), known_catalog_lessons=())
    assert fault.within("/manifest") == {
        "pointer": "/manifest/modules/0/lessons/0/prerequisites/0",
        "detail": 'There is no lesson "les_09".',
    }


def test_there_is_a_lesson() -> None:
    document = {"modules": [{"id": "mod_01", "lessons": []}]}
    assert [fault.pointer for fault in meaning_faults(document, known_catalog_lessons=())] == ["/modules"]


def test_ids_are_unique_over_all_modules() -> None:
    block = {"id": "blk_01", "kind": "text"}
    one = a_manifest(lesson("les_01", blocks=[block]))["modules"][0]
    document = {"modules": [one, one]}
    assert [fault.pointer for fault in meaning_faults(document, known_catalog_lessons=())] == [
        "/modules/1/id",
        "/modules/1/lessons/0/id",
        "/modules/1/lessons/0/blocks/0/id",
    ]


def test_targets_exist() -> None:
    assert faults(lesson("les_01", "les_08", to={"a": "les_09"})) == [
        (f"{LESSONS}/0/prerequisites/0", 'There is no lesson "les_08".'),
        (f"{LESSONS}/0/branches/0/targetLessonId", 'There is no lesson "les_09".'),
    ]


def test_a_choice_is_offered_once() -> None:
    twice = [{"choice": "a", "targetLessonId": "les_02"}, {"choice": "a", "targetLessonId": "les_03"}]
    found = faults(lesson("les_01", branches=twice), lesson("les_02"), lesson("les_03"))
    assert [pointer for pointer, _ in found] == [f"{LESSONS}/0/branches/{index}/choice" for index in (0, 1)]


def test_lessons_of_the_catalogue_exist_for_the_client() -> None:
    blocks = [{"id": "one", "kind": "video", "lessonId": "ours"}, {"id": "two", "kind": "video", "lessonId": "theirs"}]
    assert faults(lesson("les_01", blocks=blocks), known=frozenset({"ours"})) == [
        (f"{LESSONS}/0/blocks/1/lessonId", 'There is no lesson "theirs" in the catalogue.')
    ]


@pytest.mark.parametrize(
    "lessons",
    [
        (lesson("les_01", "les_01"),),
        (lesson("les_01", "les_02"), lesson("les_02", "les_03"), lesson("les_03", "les_01")),
        # A fork that waits for what only it leads to.
        (lesson("les_01", "les_02", to={"a": "les_02"}), lesson("les_02")),
        (lesson("les_01", to={"a": "les_02"}), lesson("les_02", to={"b": "les_01"})),
    ],
)
def test_a_cycle_is_refused_at_each_lesson_of_it(lessons: tuple[dict[str, Any], ...]) -> None:
    found = faults(lesson("les_00"), *lessons)
    assert len(found) == len(lessons)
    assert all(pointer.startswith(LESSONS) and "can never be reached" in detail for pointer, detail in found)


FORK = lesson("fork", to={"a": "via_a", "b": "via_b"})


def test_what_only_one_branch_leads_to_may_be_required() -> None:
    after_a = lesson("after_a", "via_a", required=True)
    assert faults(FORK, lesson("via_a"), lesson("via_b"), after_a, lesson("end", "fork", required=True)) == []


def test_what_needs_two_choices_at_one_fork_may_not_be_required() -> None:
    both = lesson("both", "via_a", "via_b")
    assert faults(FORK, lesson("via_a"), lesson("via_b"), {**both, "required": False}) == []
    assert faults(FORK, lesson("via_a"), lesson("via_b"), {**both, "required": True}) == [
        (f"{LESSONS}/3", 'It is required, but cannot be reached by any single choice at "fork".')
    ]


def test_a_choice_must_not_lead_to_what_needs_the_other() -> None:
    found = faults(FORK, lesson("via_a"), lesson("via_b", "via_a"))
    assert found[0] == (f"{LESSONS}/0/branches/1/targetLessonId", '"via_b" cannot be reached once "b" was chosen.')


def test_two_forks_may_lead_to_one_lesson() -> None:
    second = lesson("second", to={"x": "shared", "y": "other"})
    first = lesson("first", to={"x": "shared", "y": "other"})
    assert faults(first, second, lesson("shared", required=True), lesson("other")) == []


def test_many_lessons_are_validated_in_reasonable_steps() -> None:
    """2,000 lessons in a chain, with a fork every ten."""
    lessons = [
        lesson(
            f"les_{place}",
            *([f"les_{place - 1}"] if place and place % 10 not in (1, 2) else []),
            to={"a": f"les_{place + 1}", "b": f"les_{place + 2}"} if place % 10 == 0 else {},
        )
        for place in range(2_000)
    ]
    lessons[-1]["branches"] = []
    document = {"modules": a_manifest(*lessons)["modules"]}
    for each in document["modules"][0]["lessons"]:
        each["required"] = False
        each["prerequisites"] = [] if int(each["id"][4:]) % 10 == 3 else each["prerequisites"]
    assert meaning_faults(document, known_catalog_lessons=()) == []


def test_texts_are_kept_under_bcp_47_keys() -> None:
    block = {"id": "blk", "kind": "text", "text": {"zh_Hans": "看"}}
    document = a_manifest({"title": {"zh": "課", "en": "Lesson"}, "blocks": [block]})
    (module,) = canonical(document)["modules"]
    assert module["lessons"][0]["title"] == {"zh-Hant": "課", "en": "Lesson"}
    assert module["lessons"][0]["blocks"][0]["text"] == {"zh-Hans": "看"}


def test_a_compiled_manifest_knows_places_and_who_leads_where() -> None:
    compiled = compile_manifest(a_manifest(lesson("late", "fork"), FORK, lesson("via_a"), lesson("via_b", "late")))
    assert [each.sequence_index for each in compiled.lessons] == [0, 1, 2, 3]
    assert compiled.first.id == "fork"
    assert compiled.by_id["via_a"].offered_by == (("fork", "a"),)
    order = [each.id for each in compiled.in_dependency_order]
    assert order.index("fork") < order.index("late") < order.index("via_b")
