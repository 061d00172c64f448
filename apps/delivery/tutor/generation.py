"""How is one turn answered? By one process, once, piece by piece; while somebody listens, and within a time.

It claims the turn, so a second attempt finds nothing to do. However it ends, that is written to PostgreSQL first and
told after: what was told as done is there to be read again.
"""

import asyncio
from contextlib import aclosing, suppress

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from apps.delivery.models import TutorTurn
from apps.delivery.services import tutoring
from apps.delivery.tutor import events, providers
from apps.delivery.tutor.buffer import Buffer
from apps.delivery.tutor.providers import Provider, ProviderFailed, Used
from apps.delivery.tutor.questions import Question
from apps.delivery.tutor.threads import in_thread
from apps.kernel.clock import now

log = structlog.get_logger(__name__)

Reason = TutorTurn.Reason
# A provider that does not keep to the tokens it was given.
MOST_PIECES = 5_000
WORKING_SECONDS = 1.0


class Told:
    """What came of an answer so far."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.tokens = 0


async def answer(buffer: Buffer, client_id: str, turn_id: str) -> None:
    """Have the turn answered, unless somebody does already."""
    provider = providers.chosen()
    await buffer.work_on(turn_id)
    turn = await in_thread(
        lambda: tutoring.claim_turn(
            client_id=client_id, turn_id=turn_id, model=provider.model, is_local=provider.is_local, now=now()
        )
    )
    if turn is None:
        return
    told = Told()
    try:
        reason = await _answered(buffer, turn, provider, told)
    except asyncio.CancelledError:
        # The process ends; nobody else can go on with what the provider is telling us.
        await asyncio.shield(_end(buffer, turn, told, Reason.LOST))
        raise
    await _end(buffer, turn, told, reason)


async def _answered(buffer: Buffer, turn: TutorTurn, provider: Provider, told: Told) -> str:
    """Why it failed; empty for a whole answer."""
    writing = asyncio.ensure_future(_write(buffer, turn, provider, told))
    working = asyncio.ensure_future(_work(buffer, turn.pk))
    try:
        await asyncio.wait((writing, working), return_when=asyncio.FIRST_COMPLETED)
        if not writing.done():
            working.result()
            return Reason.UNHEARD
        writing.result()
    except TimeoutError:
        return Reason.DEADLINE
    except RedisError as error:
        log.warning("tutor_turn_without_valkey", turn_id=turn.pk, error=str(error))
        return Reason.LOST
    except ProviderFailed as error:
        log.warning("tutor_provider_failed", turn_id=turn.pk, error=str(error))
        return Reason.PROVIDER
    finally:
        for task in (writing, working):
            task.cancel()
        await asyncio.gather(writing, working, return_exceptions=True)
    return ""


async def _write(buffer: Buffer, turn: TutorTurn, provider: Provider, told: Told) -> None:
    async with asyncio.timeout(settings.TUTOR_SECONDS), aclosing(provider.answer(Question.of(turn))) as pieces:
        async for piece in pieces:
            if isinstance(piece, Used):
                told.tokens = piece.tokens
                continue
            if len(told.pieces) == MOST_PIECES:
                raise ProviderFailed("it goes on and on")
            # PostgreSQL stores no NUL.
            told.pieces.append(piece.replace("\0", ""))
            await buffer.append(turn.pk, [events.token(len(told.pieces) - 1, told.pieces[-1])])


async def _work(buffer: Buffer, turn_id: str) -> None:
    """Says that the turn is being answered; ends when nobody listens any more."""
    while await buffer.work_on(turn_id):  # noqa: ASYNC110 - Valkey knows, and has no event for us
        await asyncio.sleep(WORKING_SECONDS)


async def _end(buffer: Buffer, turn: TutorTurn, told: Told, reason: str) -> None:
    ended = await in_thread(
        lambda: tutoring.end_turn(
            client_id=turn.client_id,
            turn_id=turn.pk,
            pieces=told.pieces,
            total_tokens=told.tokens,
            reason=reason,
            now=now(),
        )
    )
    # Without Valkey listeners look into PostgreSQL once they miss us.
    with suppress(RedisError):
        await buffer.append(turn.pk, [events.ending(ended)])
        await buffer.end_work(turn.pk)
