"""What becomes of that which a device tells? Each of it gets a verdict, and all of it is merged (contract 9, "Push").

In memory, between a few reads and a few writes whose number does not grow with what is told. The person's row is held
as by whoever begins or goes on with something: of one person nothing else is merged, begun or resumed meanwhile.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import JSONField, OuterRef, Q, Subquery, Value

from apps.api import refused
from apps.delivery import merge, queries, snapshots
from apps.delivery.merge import Known, Stamp, Write
from apps.delivery.models import PlaySession, SessionChange, SessionSnapshot, SyncMutation
from apps.delivery.mutations import Judged, Mutation, Told
from apps.delivery.services import judging
from apps.delivery.services.judging import Ground, Place
from apps.delivery.services.sessions import event_type_of, payload_of, synced_change
from apps.delivery.services.starting import take_turn
from apps.delivery.states import TERMINAL, SessionAction, SessionState
from apps.events import outbox
from apps.events.outbox import Happened
from apps.kernel.refusals import Refusal

Verdict = SyncMutation.Verdict


def push_mutations(*, client_id: str, user_id: str, told: Sequence[Told], now: datetime) -> list[Judged]:
    """The verdict on each, in the order in which they were told. One that was told before keeps its first."""
    take_turn(client_id, user_id)
    verdicts = _first_verdicts(client_id, user_id, told)
    board = _Board(client_id, user_id, _fresh(told, verdicts), now)
    rows: list[SyncMutation] = []
    results: list[Judged] = []
    for each in told:
        judged = verdicts.get(each.mutation_id) if each.mutation_id else None
        if judged is None:
            judged = board.take(each)
            rows.append(_row(client_id, user_id, each, judged, now))
            if each.mutation_id:
                verdicts[each.mutation_id] = judged
        results.append(judged)
    SyncMutation.objects.bulk_create(rows)
    board.write()
    return results


def _first_verdicts(client_id: str, user_id: str, told: Iterable[Told]) -> dict[str, Judged]:
    ids = {each.mutation_id for each in told if each.mutation_id}
    kept = SyncMutation.objects.for_client(client_id).filter(user_id=user_id, client_mutation_id__in=ids)
    rows = kept.values_list("client_mutation_id", "verdict", "problem")
    return {str(name): Judged(name, verdict, problem) for name, verdict, problem in rows}


def _fresh(told: Iterable[Told], verdicts: Mapping[str, Judged]) -> list[Mutation]:
    return [each.mutation for each in told if each.mutation is not None and each.mutation_id not in verdicts]


def _row(client_id: str, user_id: str, told: Told, judged: Judged, now: datetime) -> SyncMutation:
    """As it is kept. Of one of the wrong shape, what can be made out."""
    raw: Mapping[str, Any] = told.raw if isinstance(told.raw, dict) else {}
    lamport = raw.get("lamport")
    return SyncMutation(
        client_id=client_id,
        user_id=user_id,
        client_mutation_id=told.mutation_id,
        entity_type=_short(raw.get("entityType")),
        entity_id=_short(raw.get("entityId")),
        device_id=_short(raw.get("deviceId")),
        lamport=lamport if isinstance(lamport, int) and not isinstance(lamport, bool) and lamport >= 0 else None,
        # A null was told, too, and is no missing value.
        told=Value(None, JSONField()) if told.raw is None else told.raw,
        occurred_at=told.mutation.occurred_at if told.mutation else None,
        verdict=judged.verdict,
        problem=judged.problem,
        received_at=now,
    )


def _short(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= SyncMutation.LONGEST_NAME else ""


class _Board:
    """What is known of one person's sessions, before and after what they tell; `write` writes the difference."""

    def __init__(self, client_id: str, user_id: str, mutations: Collection[Mutation], now: datetime) -> None:
        self.client_id, self.user_id, self.now = client_id, user_id, now
        self.sessions: dict[str, PlaySession] = {}
        self.before: dict[str, Known] = {}
        self.shown: dict[str, str] = {}
        self.places: dict[str, tuple[str, str | None]] = {}  # where one session of a person at most is active
        self.ground: Ground | None = None
        if mutations:
            self._read(mutations)
        self.known = dict(self.before)

    def _read(self, mutations: Collection[Mutation]) -> None:
        """Held: the sessions that are told of, and those that are active. Of the others in the same places it matters
        when they were, which only whoever has the person's turn can change."""
        named = {each.entity_id for each in mutations}
        theirs = PlaySession.objects.of_user(self.client_id, self.user_id)
        rows = theirs.filter(Q(pk__in=named) | Q(state="active"))
        self.sessions = {row.pk: row for row in rows.order_by("pk").locked()}
        versions = {session.course_version_id for session in self.sessions.values()}
        snapshots_ = SessionSnapshot.objects.for_client(self.client_id).filter(user_id=self.user_id)
        wanted = Q(session_id__in=named | self.sessions.keys()) | Q(is_aggregate=True, course_version_id__in=versions)
        device = Subquery(theirs.filter(pk=OuterRef("session_id")).values("device_id"))
        for snapshot in snapshots_.filter(wanted).annotate(place_device_id=device):
            self.before[snapshot.session_id] = known_of_snapshot(snapshot, self.sessions.get(snapshot.session_id))
            self.shown[snapshot.session_id] = snapshot.state
            if snapshot.is_aggregate:
                self.places[snapshot.session_id] = (snapshot.course_version_id, snapshot.place_device_id)
        for session in self.sessions.values():
            self.before.setdefault(session.pk, known_of_session(session))
            self.shown[session.pk] = session.state
            self.places[session.pk] = (session.course_version_id, session.device_id)
        self.ground = judging.ground_of(
            client_id=self.client_id,
            user_id=self.user_id,
            mutations=mutations,
            sessions=self.sessions,
            now=self.now,
        )

    def take(self, told: Told) -> Judged:
        """Merge one, or say why not."""
        if told.mutation is None or self.ground is None:
            return Judged(told.echo, Verdict.REJECTED, refused.problem(told.fault or Refusal()))
        try:
            said = judging.judge(told.mutation, self.ground)
        except Refusal as refusal:
            return Judged(told.echo, Verdict.REJECTED, refused.problem(refusal))
        name = told.mutation.entity_id
        before = self.known.get(name)
        self.known[name] = merge.merge(before, said) if before else said
        won = self.known[name].last.stamp == said.last.stamp
        return Judged(told.echo, Verdict.APPLIED if won else Verdict.CONFLICTED)

    def write(self) -> None:
        """Rows, history, events, and the snapshots last, whose clock others wait for."""
        told_of = [name for name, known in self.known.items() if known != self.before.get(name)]
        shown = self._shown_after(told_of)
        changed = [
            session for name, session in self.sessions.items() if self._carry_over(session, self.known[name], shown)
        ]
        queries.write_sessions(self.client_id, changed)
        SessionChange.objects.bulk_create([synced_change(session, self.now) for session in changed])
        outbox.record_all(client_id=self.client_id, happened=self._happened(changed), now=self.now)
        names = {*told_of, *(name for name, state in shown.items() if state != self.shown.get(name))}
        rows = [
            snapshot_of(self.client_id, self.user_id, name, self.known[name], shown[name], self.sessions.get(name))
            for name in sorted(names)
        ]
        snapshots.write_snapshots(self.client_id, self.user_id, rows)

    def _shown_after(self, told_of: Iterable[str]) -> dict[str, str]:
        """The state of each session that was told of, and of those that are in the same place."""
        shown = {name: self.known[name].last.state for name in told_of}
        for place in {self.places[name] for name in shown if name in self.sessions}:
            group = [name for name, each in self.places.items() if each == place]
            states = merge.shown_states({name: self.known[name] for name in group})
            shown |= {name: state for name, state in states.items() if name in self.sessions}
        return shown

    def _carry_over(self, session: PlaySession, known: Known, shown: Mapping[str, str]) -> bool:
        """Make the row say what is known; whether that was something new."""
        before = self.before[session.pk]
        state = shown.get(session.pk, session.state)
        # When it began was said when it began.
        if replace(known, began_at=before.began_at) == before and state == session.state:
            return False
        if known.last.stamp != before.last.stamp:
            _follow(session, known.last, self.now)
        session.state = SessionState(state)
        session.completed_lessons += sorted(known.completed.difference(session.completed_lessons))
        session.lamport = max(session.lamport, known.lamport)
        session.last_activity_at = max(session.last_activity_at, known.active_at)
        session.version += 1
        return True

    def _happened(self, changed: Iterable[PlaySession]) -> Iterable[Happened]:
        for session in changed:
            before = self.before[session.pk].last.place
            if session.state != self.shown[session.pk]:
                resumed = session.state == SessionState.ACTIVE
                action = SessionAction.RESUMED if resumed else SessionAction(session.state)
            elif before != _place_in_course(session):
                action = SessionAction.NAVIGATED
            else:
                continue
            yield Happened(event_type_of(action), session.pk, payload_of(session, session.cursor))


def known_of_snapshot(snapshot: SessionSnapshot, session: PlaySession | None) -> Known:
    """What was known of it before; of a session that is known to the server, with what only its row says."""
    state, lamport = snapshot.said_state, snapshot.lamport
    stamp = Stamp(state in TERMINAL, lamport, snapshot.device_id, snapshot.client_mutation_id)
    place = Place(
        snapshot.enrollment_id,
        snapshot.course_version_id,
        snapshot.module_id,
        snapshot.lesson_id,
        snapshot.block_id,
        snapshot.sequence_index,
    )
    return Known(
        last=Write(stamp, state, place, snapshot.began_at),
        completed=frozenset(snapshot.completed_lessons),
        active=Stamp(False, *snapshot.active_stamp) if snapshot.active_stamp else None,
        lamport=max(lamport, session.lamport) if session else lamport,
        began_at=snapshot.began_at,
        active_at=session.last_activity_at if session else snapshot.began_at,
    )


def known_of_session(session: PlaySession) -> Known:
    """Of one that has no snapshot yet: an online change of its own device."""
    stamp = Stamp(session.is_terminal, session.lamport, session.device_id or "", "")
    write = Write(stamp, session.state, _place_in_course(session), session.started_at)
    known = merge.known_of(write, frozenset(session.completed_lessons))
    return replace(known, active_at=session.last_activity_at)


def snapshot_of(
    client_id: str, user_id: str, session_id: str, known: Known, state: str, session: PlaySession | None
) -> SessionSnapshot:
    """To be written, under a number that is not known yet."""
    place, stamp = known.last.place, known.last.stamp
    assert isinstance(place, Place)
    return SessionSnapshot(
        client_id=client_id,
        user_id=user_id,
        session_id=session_id,
        is_aggregate=session is not None,
        state=state,
        said_state=known.last.state,
        completed_lessons=sorted(known.completed),
        lamport=stamp.lamport,
        device_id=stamp.device_id,
        client_mutation_id=stamp.mutation_id,
        active_stamp=known.active and list(known.active[1:]),
        began_at=session.started_at if session else known.began_at,
        **place._asdict(),
    )


def _place_in_course(session: PlaySession) -> Place:
    return Place(
        session.enrollment_id,
        session.course_version_id,
        session.module_id,
        session.lesson_id,
        session.block_id,
        session.sequence_index,
    )


def _follow(session: PlaySession, write: Write, now: datetime) -> None:
    """The register's write is another one: its place and, if it ended the session, when."""
    place = write.place
    assert isinstance(place, Place)
    session.module_id, session.lesson_id, session.block_id = place.module_id, place.lesson_id, place.block_id
    session.sequence_index = place.sequence_index
    if write.stamp.is_terminal:
        session.ended_at = max(session.started_at, min(write.at, now))
        session.reason = ""
