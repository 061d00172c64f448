"""Where the `type` of a problem leads: every code that the API's description names is explained there."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client as Browser

from apps.api.dialect import PROBLEM_CODES
from apps.delivery.problem_types import TYPES

DESCRIPTION = Path(__file__).parents[1] / "openapi.yaml"


def described() -> dict[str, dict[str, Any]]:
    examples: dict[str, dict[str, Any]] = yaml.safe_load(DESCRIPTION.read_text())["components"]["examples"]
    return {code: example["value"] for code, example in examples.items()}


def test_every_code_of_the_description_is_explained() -> None:
    assert set(described()) <= set(TYPES)
    assert set(PROBLEM_CODES.values()) <= set(TYPES)


def test_what_is_explained_has_the_status_of_the_description() -> None:
    statuses = {code: TYPES[code].status for code in described()}
    assert statuses == {code: example["status"] for code, example in described().items()}


@pytest.mark.django_db
def test_the_type_of_a_problem_leads_to_its_page(client: Browser) -> None:
    problem = client.get("/api/v1/play-sessions").json()
    page = client.get(problem["type"])
    assert page.status_code == 200
    assert page["Content-Type"].startswith("text/html")
    assert problem["code"] in page.content.decode()
    assert TYPES[problem["code"]].meaning in page.content.decode().replace("&#x27;", "'")


def test_all_are_listed_on_one_page(client: Browser) -> None:
    page = client.get("/api/v1/problems").content.decode()
    assert all(f'id="{code}"' in page for code in TYPES)


def test_an_unknown_code_is_a_problem_of_its_own(client: Browser) -> None:
    answer = client.get("/api/v1/problems/no.such")
    assert (answer.status_code, answer.json()["code"]) == (404, "route.not_found")
