"""Providers of models, over their wire formats: a local server speaks them, slowly, badly, or not to the end."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import orjson
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.delivery.tutor import providers
from apps.delivery.tutor.providers import Anthropic, OpenAICompatible, Provider, ProviderFailed, Used
from apps.delivery.tutor.questions import Question
from apps.delivery.tutor.retrieval import Passage
from tests import loops

QUESTION = Question("Why?", (Passage("blk_01", "en", "Stand near a wall.", speaks=True),), "en")
WORDS = ("Poly", "morphism", " 多型\n\n")


def anthropic_events(*, ended: bool = True) -> Iterator[dict[str, Any]]:
    message = {"id": "m", "type": "message", "role": "assistant", "model": "claude", "content": []}
    usage = {"input_tokens": 300, "output_tokens": 1}
    told = {**message, "stop_reason": None, "stop_sequence": None, "usage": usage}
    yield {"type": "message_start", "message": told}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    yield {"type": "ping"}
    for word in WORDS:
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
    if ended:
        yield {"type": "content_block_stop", "index": 0}
        delta = {"stop_reason": "end_turn", "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 42}}
        yield {"type": "message_stop"}


def openai_events(*, ended: bool = True, counts: bool = True) -> Iterator[dict[str, Any]]:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt"}
    yield {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}
    for word in WORDS:
        yield {**head, "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]}
    if ended:
        yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        if counts:
            usage = {"prompt_tokens": 300, "completion_tokens": 42, "total_tokens": 342}
            yield {**head, "choices": [], "usage": usage}


class Wire:
    """How one of them is spoken to, and what it says."""

    def __init__(self, name: str, path: str, events: Callable[..., Iterator[dict[str, Any]]]) -> None:
        self.name, self.path, self.events = name, path, events

    def provider(self, server: HTTPServer) -> Provider:
        if self.name == "anthropic":
            return Anthropic("claude", "a key", server.url_for(""), 500)
        return OpenAICompatible("gpt", "a key", server.url_for("/v1"), 500)

    def lines(self, events: Iterator[dict[str, Any]]) -> Iterator[bytes]:
        for event in events:
            named = b"event: " + event["type"].encode() + b"\n" if self.name == "anthropic" else b""
            yield named + b"data: " + orjson.dumps(event) + b"\n\n"
        if self.name == "openai":
            yield b"data: [DONE]\n\n"


WIRES = {
    "anthropic": Wire("anthropic", "/v1/messages", anthropic_events),
    "openai": Wire("openai", "/v1/chat/completions", openai_events),
}


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> Wire:
    return WIRES[request.param]


def serve(server: HTTPServer, wire: Wire, lines: Iterator[bytes], status: int = 200) -> None:
    def answer(request: Request) -> Response:
        return Response(lines, status, content_type="text/event-stream")

    server.expect_request(wire.path, method="POST").respond_with_handler(answer)


def ask(provider: Provider) -> list[str | Used]:
    async def story() -> list[str | Used]:
        return [piece async for piece in provider.answer(QUESTION)]

    return loops.run(story())


def test_an_answer_is_told_piece_by_piece(httpserver: HTTPServer, wire: Wire) -> None:
    serve(httpserver, wire, wire.lines(wire.events()))
    assert ask(wire.provider(httpserver)) == [*WORDS, Used(342)]


def test_lesson_and_question_are_sent_apart_from_the_instruction(httpserver: HTTPServer, wire: Wire) -> None:
    serve(httpserver, wire, wire.lines(wire.events()))
    ask(wire.provider(httpserver))
    request, _ = httpserver.log[0]
    body = orjson.loads(request.data)
    user = {"role": "user", "content": QUESTION.document}
    assert request.headers["Authorization"] == "Bearer a key"
    if wire.name == "anthropic":
        assert (body["system"], body["messages"], body["max_tokens"]) == (QUESTION.instruction, [user], 500)
    else:
        assert body["messages"] == [{"role": "system", "content": QUESTION.instruction}, user]
        assert body["max_completion_tokens"] == 500
    assert (body["stream"], "wall" in orjson.dumps(user).decode()) == (True, True)


def test_pieces_come_before_the_answer_is_whole(httpserver: HTTPServer, wire: Wire) -> None:
    """The server says the rest only after the first word has arrived."""
    arrived = asyncio.Event()

    def slowly() -> Iterator[bytes]:
        for line in wire.lines(wire.events()):
            yield line
            if WORDS[0].encode() in line:
                while not arrived.is_set():
                    time.sleep(0.01)

    serve(httpserver, wire, slowly())

    async def story() -> list[str | Used]:
        pieces = []
        async for piece in wire.provider(httpserver).answer(QUESTION):
            pieces.append(piece)
            arrived.set()
        return pieces

    assert loops.run(story()) == [*WORDS, Used(342)]


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503, 529])
def test_a_refusal_or_failure_is_asked_once(httpserver: HTTPServer, wire: Wire, status: int) -> None:
    serve(httpserver, wire, iter([b'{"error": {"type": "overloaded_error", "message": "no"}}']), status)
    with pytest.raises(ProviderFailed):
        ask(wire.provider(httpserver))
    assert len(httpserver.log) == 1


def test_an_answer_that_was_cut_is_no_answer(httpserver: HTTPServer, wire: Wire) -> None:
    """The connection ends in good order, in the middle of what was said."""
    serve(httpserver, wire, wire.lines(wire.events(ended=False)))
    heard: list[str | Used] = []

    async def story() -> None:
        async for piece in wire.provider(httpserver).answer(QUESTION):
            heard.append(piece)  # noqa: PERF401 - what was heard before the cut counts

    with pytest.raises(ProviderFailed, match="cut off"):
        loops.run(story())
    assert heard == list(WORDS)


def test_a_connection_that_breaks(httpserver: HTTPServer, wire: Wire) -> None:
    """More was announced than is sent."""

    def answer(request: Request) -> Response:
        head = b"".join(wire.lines(wire.events(ended=False)))
        return Response(head, content_type="text/event-stream", headers={"Content-Length": str(len(head) + 1000)})

    httpserver.expect_request(wire.path).respond_with_handler(answer)
    with pytest.raises(ProviderFailed):
        ask(wire.provider(httpserver))


@pytest.mark.parametrize("line", [b"data: {broken\n\n", b"\xff\xfe\n\n", b"event: error\ndata: {}\n\n", b"<html>", b""])
def test_what_no_provider_says(httpserver: HTTPServer, wire: Wire, line: bytes) -> None:
    serve(httpserver, wire, iter([line]))
    with pytest.raises(ProviderFailed):
        ask(wire.provider(httpserver))


def test_an_error_in_the_middle(httpserver: HTTPServer) -> None:
    """Anthropic tells of an overload in the stream."""
    lines = [*WIRES["anthropic"].lines(anthropic_events(ended=False))]
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    serve(httpserver, WIRES["anthropic"], iter([*lines, b"event: error\ndata: " + orjson.dumps(error) + b"\n\n"]))
    with pytest.raises(ProviderFailed):
        ask(WIRES["anthropic"].provider(httpserver))


def test_a_server_that_does_not_count(httpserver: HTTPServer) -> None:
    serve(httpserver, WIRES["openai"], WIRES["openai"].lines(openai_events(counts=False)))
    assert ask(WIRES["openai"].provider(httpserver))[-1] == Used(len(WORDS))


def test_nobody_at_the_address(httpserver: HTTPServer, wire: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    provider = wire.provider(httpserver)
    with pytest.raises(ProviderFailed):
        ask(replace(provider, address=f"http://127.0.0.1:{port}/v1"))  # type: ignore[type-var]


def test_a_silence_is_given_up(httpserver: HTTPServer, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_SILENCE_SECONDS", 0.2)
    released = asyncio.Event()

    def never() -> Iterator[bytes]:
        yield next(wire.lines(wire.events()))
        while not released.is_set():
            time.sleep(0.01)

    serve(httpserver, wire, never())
    try:
        with pytest.raises(ProviderFailed):
            ask(wire.provider(httpserver))
    finally:
        released.set()


def test_whoever_leaves_ends_the_call(httpserver: HTTPServer, wire: Wire) -> None:
    """Cancelled in the middle, nothing of it goes on."""
    released = asyncio.Event()

    def forever() -> Iterator[bytes]:
        yield from islice(wire.lines(wire.events(ended=False)), 4)
        while not released.is_set():
            time.sleep(0.01)

    serve(httpserver, wire, forever())

    async def story() -> None:
        first = asyncio.Event()

        async def listen() -> None:
            async for _ in wire.provider(httpserver).answer(QUESTION):
                first.set()

        task = asyncio.create_task(listen())
        waiting = asyncio.create_task(first.wait())
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    try:
        loops.run(story())
    finally:
        released.set()


def test_the_settings_choose(settings: Any) -> None:
    assert (providers.chosen().model, providers.chosen().is_local) == ("lesson-quotes", True)
    reached: dict[str, Any] = {"model": "m", "key": "k", "address": None, "most_tokens": 9}
    settings.TUTOR = {"provider": "anthropic", **reached}
    assert providers.chosen() == Anthropic(**reached)
    settings.TUTOR = {"provider": "openai", **reached}
    assert (providers.chosen(), providers.chosen().is_local) == (OpenAICompatible(**reached), False)
