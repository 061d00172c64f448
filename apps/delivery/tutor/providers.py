"""Who writes the tutor's answers? A provider of models that the settings name, or nobody: then the lesson is quoted.

Every provider is asked once a turn: its client is told not to try again. Its failures, whatever they are, are
ProviderFailed; an answer that was cut off is one of them.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings

from apps.delivery.tutor.questions import Question
from apps.delivery.tutor.quoting import quotes

# A provider that says nothing for so long is given up, whatever the whole answer may take.
_SILENCE_SECONDS = 30.0


class ProviderFailed(Exception):  # noqa: N818 - what happened, told to the learner as ai.unavailable
    """It refused, failed, or stopped in the middle of the answer."""


@dataclass(frozen=True, slots=True)
class Used:
    """The last thing that a provider says: how many tokens it read and wrote together."""

    tokens: int


Answer = AsyncGenerator[str | Used, None]


class Provider(Protocol):
    """`answer` yields the text piece by piece as it comes, then `Used`, or raises ProviderFailed."""

    @property
    def model(self) -> str: ...

    @property
    def is_local(self) -> bool: ...

    def answer(self, question: Question) -> Answer: ...


def chosen() -> Provider:
    """As the settings say."""
    reached = {name: settings.TUTOR[name] for name in ("model", "key", "address", "most_tokens")}
    if settings.TUTOR["provider"] == "anthropic":
        return Anthropic(**reached)
    if settings.TUTOR["provider"] == "openai":
        return OpenAICompatible(**reached)
    return Local()


class Local:
    """No model: the best passages of the lesson, quoted with their place. It says that it does."""

    model = "lesson-quotes"
    is_local = True

    async def answer(self, question: Question) -> Answer:
        pieces = list(quotes(question))
        for piece in pieces:
            yield piece
        yield Used(len(pieces))


@dataclass(frozen=True, slots=True)
class Anthropic:
    """Anthropic's Messages API, or what speaks it at `address`."""

    model: str
    key: str
    address: str | None
    most_tokens: int
    is_local = False

    async def answer(self, question: Question) -> Answer:
        import anthropic

        async with (
            _failing(),
            anthropic.AsyncAnthropic(
                api_key=self.key, base_url=self.address, max_retries=0, timeout=_SILENCE_SECONDS
            ) as client,
            client.messages.stream(
                model=self.model,
                max_tokens=self.most_tokens,
                system=question.instruction,
                messages=[{"role": "user", "content": question.document}],
            ) as stream,
        ):
            async for text in stream.text_stream:
                yield text
            message = await stream.get_final_message()
            if message.stop_reason is None:
                raise ProviderFailed("the answer was cut off")
            yield Used(message.usage.input_tokens + message.usage.output_tokens)


@dataclass(frozen=True, slots=True)
class OpenAICompatible:
    """OpenAI's chat completions, which many servers of models speak."""

    model: str
    key: str
    address: str | None
    most_tokens: int
    is_local = False

    async def answer(self, question: Question) -> Answer:
        import openai

        async with (
            _failing(),
            openai.AsyncOpenAI(
                api_key=self.key, base_url=self.address, max_retries=0, timeout=_SILENCE_SECONDS
            ) as client,
            await client.chat.completions.create(
                model=self.model,
                max_completion_tokens=self.most_tokens,
                messages=[
                    {"role": "system", "content": question.instruction},
                    {"role": "user", "content": question.document},
                ],
                stream=True,
                stream_options={"include_usage": True},
            ) as stream,
        ):
            async for piece in _told_by(stream):
                yield piece


async def _told_by(chunks: AsyncIterator[Any]) -> Answer:
    finished, pieces, used = False, 0, None
    async for chunk in chunks:
        used = chunk.usage or used
        for choice in chunk.choices[:1]:
            finished = finished or choice.finish_reason is not None
            if choice.delta.content:
                pieces += 1
                yield choice.delta.content
    if not finished:
        raise ProviderFailed("the answer was cut off")
    # Not every server counts.
    yield Used(used.total_tokens if used else pieces)


@asynccontextmanager
async def _failing() -> AsyncIterator[None]:
    """Somebody else's server, behind somebody else's client: there is no end to what may go wrong."""
    try:
        yield
    except ProviderFailed:
        raise
    except Exception as error:
        raise ProviderFailed(f"{type(error).__name__}: {error}"[:500]) from error
