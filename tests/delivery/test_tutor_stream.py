"""What is heard: the stream of an answer, from its first token to its end (004 3.8, contract 9)."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from redis.exceptions import ConnectionError as ValkeyGone

from apps.api import valkey
from apps.delivery.models import TutorTurn
from apps.delivery.services import tutoring
from apps.delivery.tutor import buffer, generation, providers, streams
from apps.delivery.tutor.buffer import Buffer
from apps.delivery.tutor.threads import in_thread
from apps.events.models import OutboxEvent
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests.delivery.tutoring import (
    Ear,
    Heard,
    Scripted,
    in_process,
    make_taught_session,
    make_turn,
    stored_turn,
    words_of,
)
from tests.delivery.walking import Via

pytestmark = pytest.mark.django_db(transaction=True)
UNAVAILABLE = {"code": "ai.unavailable", "message": "AI service temporarily unavailable"}
WORDS = ("Poly", "morphism", " is", " 多型。\n\n", "data: done")
Open = Callable[..., Ear]


@pytest.fixture
def turn(ada: EndUser) -> TutorTurn:
    return make_turn(make_taught_session(ada))


@pytest.fixture
def listen(via: Via, ada: EndUser, turn: TutorTurn) -> Open:
    headers = via(ada).headers
    return lambda after="", which=None: Ear(headers, which or turn, after)


@pytest.fixture
def speaking(monkeypatch: pytest.MonkeyPatch) -> Callable[[Scripted], Scripted]:
    def speak(provider: Scripted) -> Scripted:
        monkeypatch.setattr(providers, "chosen", lambda: provider)
        return provider

    return speak


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody's times, shortened alike."""
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(buffer, "UNHEARD_SECONDS", 0.5)
    monkeypatch.setattr(buffer, "ALIVE_SECONDS", 0.4)
    monkeypatch.setattr(streams, "ALIVE_SECONDS", 0.4)
    monkeypatch.setattr(generation, "WORKING_SECONDS", 0.05)


def kept(turn: TutorTurn) -> TutorTurn:
    return stored_turn(turn.pk)


def test_an_answer_comes_token_by_token(listen: Open, turn: TutorTurn, speaking: Any) -> None:
    provider = speaking(Scripted(*WORDS))

    async def story() -> Ear:
        ear = listen()
        await ear.whole()
        return ear

    ear = in_process(story)
    assert ear.status == 200
    told = {name: ear.headers[name] for name in ("content-type", "cache-control", "connection", "x-accel-buffering")}
    assert list(told.values()) == ["text/event-stream", "no-cache", "keep-alive", "no"]
    done = {"turnId": turn.pk, "totalTokens": 342, "aiProvenance": {"model": "scripted-1", "local": False}}
    assert ear.events == [
        *(Heard(str(at + 1), "token", {"text": word, "index": at}) for at, word in enumerate(WORDS)),
        Heard("6", "done", done),
    ]
    assert (len(provider.asked), provider.asked[0].prompt) == (1, "Why?")
    row = kept(turn)
    assert (row.status, row.answer, row.total_tokens) == ("answered", "".join(WORDS), 342)
    assert (row.model, row.is_local) == ("scripted-1", False)
    with binding.bound(binding.ALL_CLIENTS):
        event = OutboxEvent.objects.get(subject_id=turn.pk)
    assert (event.event_type, event.payload["totalTokens"]) == ("delivery.tutor.turn_completed.v1", 342)


def test_a_stream_cut_after_every_token_and_resumed_is_whole(listen: Open, turn: TutorTurn, speaking: Any) -> None:
    """The provider waits after each word until the listener was cut off and is back."""
    back = asyncio.Semaphore(0)
    provider = speaking(Scripted(*WORDS, more=back.acquire))

    async def story() -> list[Heard]:
        found: list[Heard] = []
        for _ in WORDS:
            ear = listen(found[-1].number if found else "")
            await ear.until(lambda ear=ear: bool(ear.events))  # type: ignore[misc]
            await ear.leave()
            found += ear.events
            assert len(ear.events) == 1
            back.release()
        return found + await listen(found[-1].number).whole()

    events = in_process(story)
    assert words_of(events) == list(WORDS)
    assert [event.number for event in events] == ["1", "2", "3", "4", "5", "6"]
    assert events[-1].name == "done"
    assert len(provider.asked) == 1


def test_an_ended_turn_is_told_again_from_any_event(listen: Open, turn: TutorTurn, speaking: Any) -> None:
    provider = speaking(Scripted(*WORDS))

    async def story() -> tuple[list[Heard], list[list[Heard]]]:
        whole = await listen().whole()
        await streams.streams().buffer.valkey.flushdb()
        return whole, [await listen(after).whole() for after in ("", "0", *(event.number for event in whole), "99")]

    whole, again = in_process(story)
    assert again == [whole, *(whole[at:] for at in range(7)), []]
    assert len(provider.asked) == 1


def test_many_listeners_hear_one_answer(listen: Open, turn: TutorTurn, speaking: Any) -> None:
    may_go_on = asyncio.Event()
    provider = speaking(Scripted(*WORDS, more=may_go_on.wait))

    async def story() -> list[list[Heard]]:
        ears = [listen() for _ in range(5)]
        for ear in ears:
            await ear.until(lambda ear=ear: bool(ear.events))  # type: ignore[misc]
        sixth = listen()
        await asyncio.wait_for(sixth.ended, 30)
        refused = orjson.loads(sixth.body)
        assert (sixth.status, refused["code"]) == (429, "tutor.too_many_streams")
        assert (sixth.headers["content-type"], sixth.headers["retry-after"]) == ("application/problem+json", "15")
        may_go_on.set()
        heard = [await ear.whole() for ear in ears]
        # Whoever has gone leaves their place to another.
        return [*heard, await listen().whole()]

    every = in_process(story)
    assert [words_of(events) for events in every] == [list(WORDS)] * 6
    assert len(provider.asked) == 1


@pytest.mark.parametrize("words", [(), WORDS])
def test_a_provider_that_fails(listen: Open, turn: TutorTurn, speaking: Any, words: tuple[str, ...]) -> None:
    speaking(Scripted(*words, fails=True))
    events = in_process(lambda: listen().whole())
    assert words_of(events) == list(words)
    assert events[-1] == Heard(str(len(words) + 1), "error", UNAVAILABLE)
    row = kept(turn)
    assert (row.status, row.reason, row.answer) == ("failed", "provider", "".join(words))
    assert in_process(lambda: listen().whole()) == events


def test_an_answer_that_takes_too_long(listen: Open, turn: TutorTurn, speaking: Any, settings: Any) -> None:
    settings.TUTOR_SECONDS = 1
    provider = speaking(Scripted("Wait", more=asyncio.Event().wait))
    events = in_process(lambda: listen().whole())
    assert events == [Heard("1", "token", {"text": "Wait", "index": 0}), Heard("2", "error", UNAVAILABLE)]
    assert (kept(turn).reason, provider.gone) == ("deadline", 1)


def test_a_silence_has_a_heartbeat(listen: Open, turn: TutorTurn, speaking: Any, impatient: None) -> None:
    may_go_on = asyncio.Event()
    speaking(Scripted(*WORDS, more=may_go_on.wait))

    async def story() -> Ear:
        ear = listen()
        await ear.until(lambda: ear.body.count(": heartbeat\n\n") >= 3)
        may_go_on.set()
        await ear.whole()
        return ear

    assert words_of(in_process(story).events) == list(WORDS)


def test_a_long_answer_is_heard_to_its_end(
    listen: Open, turn: TutorTurn, speaking: Any, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its words come without a silence, for longer than one is thought to listen who gave no sign."""
    words = [f"{number} " for number in range(30)]
    speaking(Scripted(*words, more=lambda: asyncio.sleep(buffer.UNHEARD_SECONDS / 10)))

    monkeypatch.setattr(buffer, "OPEN_SECONDS", buffer.UNHEARD_SECONDS)

    async def story() -> Ear:
        ear = listen()
        await ear.until(lambda: len(ear.events) > 20)
        server: Any = streams.streams().buffer.valkey
        ((_, counts_until),) = await server.zrange(buffer.open_key("demo:ada"), 0, -1, withscores=True)
        # Nobody else takes its place among the person's streams either.
        seconds, millionths = await server.time()
        assert counts_until > seconds + millionths / 1_000_000
        await ear.whole()
        return ear

    ear = in_process(story)
    assert words_of(ear.events) == words
    assert ear.events[-1].name == "done"
    assert ear.body.count(": heartbeat\n\n") > 0


def test_what_nobody_hears_is_not_written_to_its_end(
    listen: Open, turn: TutorTurn, speaking: Any, impatient: None
) -> None:
    provider = speaking(Scripted(*WORDS, more=asyncio.Event().wait))

    async def story() -> list[Heard]:
        ear = listen()
        await ear.until(lambda: bool(ear.events))
        await ear.leave()
        await streams.streams().finish(30)
        assert provider.gone == 1
        return await listen().whole()

    events = in_process(story)
    assert [event.name for event in events] == ["token", "error"]
    assert kept(turn).reason == "unheard"


def test_who_is_killed_in_the_middle_is_missed(listen: Open, turn: TutorTurn, speaking: Any, impatient: None) -> None:
    """The turn is claimed and something was told; then nothing more, for ever."""
    provider = speaking(Scripted(*WORDS))

    async def story() -> list[Heard]:
        claim: dict[str, Any] = {
            "client_id": "demo",
            "turn_id": turn.pk,
            "model": "gone",
            "is_local": False,
            "now": now(),
        }
        assert await in_thread(lambda: tutoring.claim_turn(**claim))
        assert await in_thread(lambda: tutoring.claim_turn(**claim)) is None
        return await listen().whole()

    events = in_process(story)
    assert events == [Heard("1", "error", UNAVAILABLE)]
    assert (kept(turn).reason, provider.asked) == ("lost", [])


def test_valkey_goes_away_in_the_middle(
    listen: Open, turn: TutorTurn, speaking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = asyncio.Event()
    speaking(Scripted(*WORDS, more=may_go_on.wait))

    found = {name: getattr(Buffer, name) for name in ("read", "append", "work_on", "listen_on", "leave")}

    async def gone(*_: Any) -> Any:
        raise ValkeyGone

    async def story() -> list[Heard]:
        ear = listen()
        await ear.until(lambda: bool(ear.events))
        for name in found:
            monkeypatch.setattr(Buffer, name, gone)
        streams.streams()._wake_all()
        events = await ear.whole()
        may_go_on.set()
        await streams.streams().finish(30)
        for name, method in found.items():
            monkeypatch.setattr(Buffer, name, method)
        return [*events, *await listen(events[-1].number).whole()]

    events = in_process(story)
    # The id of what came last: whoever resumes there misses nothing.
    assert events[:2] == [Heard("1", "token", {"text": "Poly", "index": 0}), Heard("1", "error", UNAVAILABLE)]
    assert events[-1] == Heard("3", "error", UNAVAILABLE)
    assert kept(turn).reason == "lost"


def test_valkey_forgets_everything_in_the_middle(listen: Open, turn: TutorTurn, speaking: Any, impatient: None) -> None:
    may_go_on = asyncio.Event()
    speaking(Scripted(*WORDS, more=may_go_on.wait))

    async def story() -> list[Heard]:
        ear = listen()
        await ear.until(lambda: bool(ear.events))
        valkey.client().flushdb()
        may_go_on.set()
        return await ear.whole()

    events = in_process(story)
    assert [event.number for event in events] == [str(at + 1) for at in range(len(events))]
    assert events[-1].data == UNAVAILABLE
    assert kept(turn).reason == "lost"


def test_a_process_that_ends_sends_its_listeners_on(listen: Open, turn: TutorTurn, speaking: Any) -> None:
    may_go_on = asyncio.Event()
    speaking(Scripted(*WORDS, more=may_go_on.wait))

    async def story() -> Ear:
        ear = listen()
        await ear.until(lambda: bool(ear.events))
        streams.streams().drain()
        await ear.whole()
        may_go_on.set()
        await streams.streams().finish(10)
        return ear

    ear = in_process(story)
    assert ear.body.endswith(": reconnect\nretry: 1000\n\n")
    # The answer came to its end meanwhile, and another process tells the rest.
    assert kept(turn).answer == "".join(WORDS)
    assert words_of(in_process(lambda: listen("1").whole())) == list(WORDS[1:])


def test_an_answer_that_a_process_cannot_wait_for_fails(listen: Open, turn: TutorTurn, speaking: Any) -> None:
    speaking(Scripted(*WORDS, more=asyncio.Event().wait))

    async def story() -> None:
        ear = listen()
        await ear.until(lambda: bool(ear.events))
        streams.streams().drain()
        await ear.whole()
        await streams.streams().finish(0.05)

    in_process(story)
    assert (kept(turn).status, kept(turn).reason, kept(turn).answer) == ("failed", "lost", "Poly")


def test_without_a_provider_the_lesson_is_quoted(via: Via, ada: EndUser) -> None:
    session = make_taught_session(ada)
    path = f"/api/v1/play-sessions/{session.id}/tutor/turn"
    asked = via(ada).post(path, {"prompt": "How do I breathe when I squat?"}).json()["data"]
    turn, headers = stored_turn(asked["turnId"]), via(ada).headers
    events = in_process(lambda: Ear(headers, turn).whole())
    answer = "".join(words_of(events))
    assert answer == (
        "The lesson says:\n\n“Breathe out while you squat” (in the video, 1:05–1:09)\n\n"
        "These are quotes from this lesson; no AI model wrote this answer."
    )
    assert events[-1].data["aiProvenance"] == {"model": "lesson-quotes", "local": True}


def test_forgotten_questions_are_ended_by_the_job_of_the_minute(ada: EndUser) -> None:
    session, time = make_taught_session(ada), now()
    long_ago = time - tutoring.DROPPED_AFTER * 2
    unheard = make_turn(session, asked_at=long_ago)
    lost = make_turn(session, asked_at=long_ago, status="answering", claimed_at=long_ago)
    young = make_turn(session)
    assert tutoring.end_forgotten_turns(now=time) == 2
    assert [kept(each).reason for each in (unheard, lost, young)] == ["unheard", "lost", ""]
    assert tutoring.end_forgotten_turns(now=time) == 0
