"""A lesson to ask about, a provider that does as it is told, and how a test listens to a stream."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from typing import Any, NamedTuple, TypeVar

import orjson
from asgiref.sync import sync_to_async
from django.db import connections

from apps.catalog.models import MediaFile, Subtitle, SubtitleCue
from apps.delivery.models import PlaySession, TutorTurn
from apps.delivery.tutor.providers import ProviderFailed, Used
from apps.delivery.tutor.questions import Question
from apps.delivery.tutor.streams import streams
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from gofa.asgi import application
from tests import loops, make
from tests.delivery.walking import URL

BALANCE = {
    "en": "Balance training lowers the risk of falling. Stand near a wall.",
    "zh-Hant": "平衡訓練能降低跌倒的風險。請站在牆邊。",
}
CUES = ((1_000, 4_000, "Put your feet together"), (65_000, 69_000, "Breathe out while you squat"))
AnswerT = TypeVar("AnswerT")


def make_taught_session(user: EndUser, *blocks: dict[str, Any], **over: Any) -> PlaySession:
    """`user` stands on a lesson with these blocks, or one of a text and a film with subtitles."""
    client = Client.objects.get(pk=user.client_id)
    given = blocks or (
        {"id": "blk_01", "kind": "text", "text": BALANCE},
        {"id": "blk_02", "kind": "video", "lessonId": make_film(client, *CUES)},
    )
    version = make.make_course_version(client, make.a_manifest({"blocks": list(given)}))
    return make.make_play_session(make.make_enrollment(user, version), **over)


def make_film(client: Client, *cues: tuple[int, int, str], locale: str = "en", draft: bool = False) -> str:
    """The id of a lesson of the catalogue with these subtitles."""
    lesson = make.make_lesson(client)
    with binding.bound(client.id):
        file = make.make_media(client, f"{client.id}/subtitles/{lesson.id}.vtt", b"WEBVTT\n")
        assert isinstance(file, MediaFile)
        subtitle = Subtitle.objects.create(
            client=client, lesson=lesson, locale=locale, file=file, status="ready", is_draft=draft, uploaded_at=now()
        )
        for index, (start, end, text) in enumerate(cues):
            SubtitleCue.objects.create(
                client=client, subtitle=subtitle, index=index, start_ms=start, end_ms=end, text=text, search=""
            )
    return lesson.id


def make_turn(session: PlaySession, **over: Any) -> TutorTurn:
    time = now()
    given: dict[str, Any] = {"lesson_id": session.lesson_id, "locale": "en", "prompt": "Why?", "asked_at": time, **over}
    if given.get("status") in ("answered", "failed"):
        given = {"claimed_at": time, "ended_at": time, "model": "lesson-quotes", "is_local": True, **given}
    with binding.bound(session.client_id):
        return TutorTurn.objects.create(client_id=session.client_id, session=session, **given)


def stored_turn(turn_id: str) -> TutorTurn:
    with binding.bound(binding.ALL_CLIENTS):
        return TutorTurn.objects.get(pk=turn_id)


class Scripted:
    """A provider that says these words; between them it waits for `more` where that is given. It counts its calls."""

    model, is_local = "scripted-1", False

    def __init__(self, *words: str, more: Callable[[], Awaitable[Any]] | None = None, fails: bool = False) -> None:
        self.words, self.more, self.fails = words, more, fails
        self.asked: list[Question] = []
        self.gone = 0

    async def answer(self, question: Question) -> AsyncGenerator[str | Used, None]:
        self.asked.append(question)
        try:
            for word in self.words:
                yield word
                if self.more is not None:
                    await self.more()
            if self.fails:
                raise ProviderFailed("on purpose")
            yield Used(342)
        finally:
            self.gone += 1


class Heard(NamedTuple):
    """One event of a stream; a comment has no name."""

    number: str
    name: str
    data: Any


def heard(text: str) -> list[Heard]:
    return [_heard(block) for block in text.split("\n\n") if block and not block.startswith(":")]


def _heard(block: str) -> Heard:
    fields = dict(line.split(": ", 1) for line in block.split("\n"))
    return Heard(fields["id"], fields["event"], orjson.loads(fields["data"]))


def words_of(events: Iterable[Heard]) -> list[str]:
    return [event.data["text"] for event in events if event.name == "token"]


class Ear:
    """Somebody who listens to the stream process: the application itself, asked as uvicorn asks it."""

    def __init__(self, headers: dict[str, str], turn: TutorTurn, after: str = "") -> None:
        named = {**headers, "X-Tenant-Id": "demo", **({"Last-Event-ID": after} if after else {})}
        path = f"{URL}/{turn.session_id}/tutor/stream"
        self.scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": f"turnId={turn.pk}".encode(),
            "headers": [(b"host", b"testserver"), *((k.lower().encode(), v.encode()) for k, v in named.items())],
            "client": ("127.0.0.1", 1),
            "server": ("testserver", 80),
        }
        self.status, self.headers, self.body = 0, dict[str, str](), ""
        self._left = asyncio.Event()
        self._changed = asyncio.Event()
        self._asked = False
        self.ended = asyncio.ensure_future(application(self.scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"").decode()
        self._changed.set()

    @property
    def events(self) -> list[Heard]:
        return heard(self.body.rpartition("\n\n")[0])

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), 30)

    async def whole(self) -> list[Heard]:
        await asyncio.wait_for(self.ended, 30)
        return self.events

    async def leave(self) -> None:
        self._left.set()
        await asyncio.wait_for(self.ended, 30)


def in_process(story: Callable[[], Coroutine[Any, Any, AnswerT]]) -> AnswerT:
    """Run it as one stream process would, and leave nothing open after it."""

    async def run() -> AnswerT:
        try:
            return await story()
        finally:
            await streams().close()
            await sync_to_async(connections.close_all)()

    return loops.run(run())
