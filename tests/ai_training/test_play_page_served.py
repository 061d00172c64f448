"""The link of a routine run before the web server that the image runs: what is written down, and who is let in."""

import http.client
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from apps.accounts import tokens
from apps.ai_training.models import RoutineRun, RoutineTemplate
from apps.tenants.models import EndUser
from tests import make
from tests.ops.running import eventually, free_port

pytestmark = pytest.mark.django_db(transaction=True)

CALLERS = 64


class Web:
    """The image's command on the test's database, with its access log on, which the image leaves off."""

    def __init__(self, output: Path) -> None:
        self.port, self.output = free_port(), output
        command = [*image_command(), "--access-log", "--host", "127.0.0.1", "--port", str(self.port)]
        database = make_conninfo(os.environ["DATABASE_URL"], dbname=connection.settings_dict["NAME"])
        environment = {**os.environ, "DATABASE_URL": database, "LOG_LEVEL": "DEBUG"}
        with output.open("w") as file:
            self.process = subprocess.Popen(
                command, cwd=settings.BASE_DIR, env=environment, stdout=file, stderr=subprocess.STDOUT
            )
        eventually(lambda: self.process.poll() is not None or self._answers())
        assert self.process.poll() is None, self.written()

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        caller = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        caller.request("GET", path, headers=headers)
        answer = caller.getresponse()
        answer.read()
        return answer

    def written(self) -> str:
        return self.output.read_text()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def _answers(self) -> bool:
        try:
            return self.get("/health/live").status == 200
        except OSError:
            return False


def image_command() -> list[str]:
    """What the image starts, as its Dockerfile says it; its programs are those beside our Python."""
    found = re.search(r"^CMD (\[.*?\])$", (settings.BASE_DIR / "Dockerfile").read_text(), re.DOTALL | re.MULTILINE)
    assert found
    command: list[str] = json.loads(found[1].replace("\\\n", ""))
    assert command[0] == "granian"
    return [str(Path(sys.executable).with_name("granian")), *command[1:]]


@pytest.fixture
def web(transactional_db: None, tmp_path: Path) -> Iterator[Web]:
    web = Web(tmp_path / "output")
    yield web
    web.stop()


@pytest.fixture
def address(ada: EndUser, builder: RoutineTemplate) -> str:
    run: RoutineRun = make.make_routine_run(ada, make.make_instance(ada, builder, status="in-progress"))
    return f"/ai-training/routine-run/{run.id}/play"


def test_a_token_is_in_no_line_that_the_server_writes(web: Web, ada: EndUser, address: str) -> None:
    token = tokens.CustomToken.issue("demo", "ada").text
    first = web.get(f"{address}?customToken={token}&locale=en")
    assert (first.status, first.getheader("Location")) == (303, f"{address}?locale=en")
    cookie = str(first.getheader("Set-Cookie")).partition(";")[0]
    assert web.get(f"{address}?locale=en", Cookie=cookie).status == 200
    refused = [token, token[:-2] + "AA", "a.b.c"]
    assert [web.get(f"{address}?customToken={each}").status for each in refused] == [404, 404, 404]
    eventually(lambda: web.written().count(f"GET {address} ") == 5)
    web.stop()
    assert "customToken" not in web.written()
    assert [part for part in token.split(".") if part in web.written()] == []


def test_of_many_who_follow_one_link_at_once_exactly_one_is_let_in(web: Web, ada: EndUser, address: str) -> None:
    link = f"{address}?customToken={tokens.CustomToken.issue('demo', 'ada').text}"
    answers = all_at_once(lambda: web.get(link))
    assert sorted(answer.status for answer in answers) == [303] + [404] * (CALLERS - 1)
    assert [answer.status for answer in answers if answer.getheader("Set-Cookie")] == [303]


def all_at_once(ask: Callable[[], http.client.HTTPResponse]) -> list[http.client.HTTPResponse]:
    """What as many callers are answered, each over a connection of its own."""
    together, answers = threading.Barrier(CALLERS), []

    def call() -> None:
        together.wait()
        answers.append(ask())

    threads = [threading.Thread(target=call) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
