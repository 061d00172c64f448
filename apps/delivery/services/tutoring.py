"""How is a question to the tutor asked, claimed and ended? (004 3.7, contract 9)

A turn is claimed once, by whoever is to have it answered: so a provider is called once, however many listen. It ends
once, too; whatever comes after that is told how it ended.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db.models import Value
from django.db.models.functions import Greatest

from apps.accounts.principal import Principal
from apps.delivery import rates
from apps.delivery.models import PlaySession, TutorTurn
from apps.delivery.services.sessions import SessionNotFound, held_session, require, require_owner
from apps.delivery.states import SessionState
from apps.delivery.tutor.retrieval import passages_about
from apps.events import outbox
from apps.kernel.refusals import NotFound, TooManyRequests
from apps.tenants import binding
from apps.tenants.models import EndUser

log = structlog.get_logger(__name__)

# After its claim nobody can be answering it any more; and a question that nobody came to hear of is dropped.
LOST_AFTER = timedelta(minutes=10)
DROPPED_AFTER = timedelta(hours=1)
_AT_ONCE = 500


class TurnNotFound(NotFound):
    code = "tutor.turn_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such question in this play session")


class TooManyStreams(TooManyRequests):
    code = "tutor.too_many_streams"

    def __init__(self, *, retry_after: int) -> None:
        super().__init__("Too many open streams", retry_after=retry_after)


def ask_tutor(*, principal: Principal, client_id: str, session_id: str, prompt: str, now: datetime) -> TutorTurn:
    """Write the question down with the passages of the cursor's lesson that it is to be answered from.

    No change of the session in 004's sense: its version stays, so that a player's next step is not refused.
    """
    session = held_session(principal, client_id, session_id)
    require(session, None, SessionState.ACTIVE)
    rates.count(rates.TUTOR_TURNS, session.pk)
    locale = _locale_of(client_id, session.user_id)
    passages = passages_about(
        prompt,
        client_id=client_id,
        version_id=session.course_version_id,
        lesson_id=session.lesson_id,
        locale=locale,
    )
    session.assistant_turns_count += 1
    session.save(update_fields=["assistant_turns_count"])
    return TutorTurn.objects.create(
        client_id=client_id,
        session=session,
        lesson_id=session.lesson_id,
        locale=locale,
        prompt=prompt,
        passages=[passage.as_json() for passage in passages],
        asked_at=now,
    )


def find_turn(*, principal: Principal, client_id: str, session_id: str, turn_id: str) -> TutorTurn:
    """A turn of a session of the caller's own."""
    session = PlaySession.objects.for_client(client_id).filter(pk=session_id).only("user_id").first()
    if session is None:
        raise SessionNotFound
    require_owner(principal, session.user_id)
    turn = TutorTurn.objects.for_client(client_id).filter(pk=turn_id, session_id=session_id).first()
    if turn is None:
        raise TurnNotFound
    return turn


def claim_turn(*, client_id: str, turn_id: str, model: str, is_local: bool, now: datetime) -> TutorTurn | None:
    """The turn, for the one caller that has it answered; None for all others."""
    with binding.bound(client_id):
        asked = TutorTurn.objects.for_client(client_id).filter(pk=turn_id, status=TutorTurn.Status.ASKED)
        claimed = asked.update(
            status=TutorTurn.Status.ANSWERING,
            # Two servers' clocks can disagree.
            claimed_at=Greatest("asked_at", Value(now)),
            model=model[:200],
            is_local=is_local,
        )
        return TutorTurn.objects.for_client(client_id).get(pk=turn_id) if claimed else None


def end_turn(
    *,
    client_id: str,
    turn_id: str,
    pieces: Sequence[str],
    total_tokens: int,
    reason: str = "",
    now: datetime,
) -> TutorTurn:
    """The answer is whole, or failed for `reason`. One that ended before stays as it did."""
    with binding.bound(client_id), binding.atomic():
        turn = TutorTurn.objects.for_client(client_id).locked().get(pk=turn_id)
        if not turn.has_ended:
            turn.pieces, turn.total_tokens = list(pieces), total_tokens
            _end(turn, reason, now)
        return turn


def end_if_lost(*, client_id: str, turn_id: str, since: timedelta, now: datetime) -> TutorTurn:
    """Of a claimed turn whose process gave no sign of life; one that was claimed less than `since` ago is left."""
    with binding.bound(client_id), binding.atomic():
        turn = TutorTurn.objects.for_client(client_id).locked().get(pk=turn_id)
        if turn.claimed_at is not None and turn.claimed_at + since < now and not turn.has_ended:
            _end(turn, TutorTurn.Reason.LOST, now)
        return turn


def end_forgotten_turns(*, now: datetime) -> int:
    """Of all clients: what nobody can be answering any more, and what nobody came to hear; how many."""
    with binding.bound(binding.ALL_CLIENTS):
        open_turns = TutorTurn.objects.filter(ended_at__isnull=True)
        lost = open_turns.filter(asked_at__lt=now - LOST_AFTER, claimed_at__lt=now - LOST_AFTER)
        dropped = open_turns.filter(asked_at__lt=now - DROPPED_AFTER, claimed_at__isnull=True)
        with binding.atomic():
            lost_ids = list(lost.select_for_update(skip_locked=True).values_list("pk", flat=True)[:_AT_ONCE])
            dropped_ids = list(dropped.select_for_update(skip_locked=True).values_list("pk", flat=True)[:_AT_ONCE])
            ended = _fail_all(lost_ids, TutorTurn.Reason.LOST, now)
            return ended + _fail_all(dropped_ids, TutorTurn.Reason.UNHEARD, now)


def _fail_all(ids: list[str], reason: str, now: datetime) -> int:
    failed = TutorTurn.Status.FAILED
    return TutorTurn.objects.filter(pk__in=ids).update(status=failed, reason=reason, ended_at=now)


def _end(turn: TutorTurn, reason: str, now: datetime) -> None:
    turn.status = TutorTurn.Status.FAILED if reason else TutorTurn.Status.ANSWERED
    turn.reason = reason
    turn.ended_at = max(now, turn.claimed_at or turn.asked_at)
    turn.save(update_fields=["status", "reason", "ended_at", "pieces", "total_tokens"])
    if reason:
        log.warning("tutor_turn_failed", turn_id=turn.pk, reason=reason)
        return
    outbox.record(
        client_id=turn.client_id,
        event_type="delivery.tutor.turn_completed.v1",
        subject_id=turn.pk,
        payload={
            "sessionId": turn.session_id,
            "lessonId": turn.lesson_id,
            "totalTokens": turn.total_tokens,
            "aiProvenance": {"model": turn.model, "local": turn.is_local},
        },
        now=turn.ended_at,
    )


def _locale_of(client_id: str, uid: str) -> str:
    user = EndUser.objects.for_client(client_id).select_related("client").get(uid=uid)
    return user.locale or user.client.default_locale
