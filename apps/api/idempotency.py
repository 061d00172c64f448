"""Has this write been done already? One effect a key, its answer again for a retry (contract 2; quality.md, fact 2).

An advisory lock of the scoped key is tried inside the effect's own transaction: not had means that the first request
is still running, a crash releases it, and the stored answer commits together with the effect.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_header_parameters

from apps.api.models import StoredResponse
from apps.kernel import sealing
from apps.kernel.refusals import BadRequest, Conflict
from apps.tenants import binding

KEPT_HOURS = 24
_KEPT_HEADERS = ("Content-Type", "Location", "ETag", "Retry-After")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_NEVER_KEPT = {401, 409, 429}
_PURPOSE = "stored_response"


class KeyInvalid(BadRequest):
    code = "idempotency.key_invalid"


class ReplayMismatch(Conflict):
    code = "idempotency.replay_mismatch"


class InProgress(Conflict):
    code = "idempotency.in_progress"


@dataclass(frozen=True, slots=True)
class KeyedWrite:
    """One keyed request: who asks for what, and a fingerprint of the body."""

    client_id: str
    scope: str
    fingerprint: str

    @classmethod
    def of(cls, client_id: str, principal: str, method: str, path: str, key: str, body: bytes) -> "KeyedWrite":
        if not _KEY.fullmatch(key):
            raise KeyInvalid("Idempotency-Key must be 1 to 255 visible ASCII characters")
        scope = "\n".join([client_id, principal, method, path, key])
        return cls(client_id, hashlib.sha256(scope.encode()).hexdigest(), hashlib.sha256(body).hexdigest())


def without_boundary(body: bytes, content_type: str) -> bytes:
    """The body as its sender meant it: what parts a multipart one from the next is drawn anew for every retry."""
    if not content_type.lower().startswith("multipart/"):
        return body
    boundary = parse_header_parameters(content_type)[1].get("boundary", "")
    return body.replace(b"--" + boundary.encode(), b"--") if boundary else body


def once(write: KeyedWrite, effect: Callable[[], HttpResponse], *, is_secret: bool = False) -> HttpResponseBase:
    """The first answer to this write: `effect`'s, or the stored one; one that `is_secret` is stored sealed.

    Opens the transaction. `effect` answers refusals as responses, having undone itself; those that are meant to be
    tried again (401, 409, 429, 5xx) are not kept.
    """
    with binding.atomic():
        if not _lock(write):
            raise InProgress("The first request with this key is still running", retry_after=1)
        stored = StoredResponse.objects.filter(client_id=write.client_id, scope=write.scope).first()
        if stored is not None and not _is_old(stored):
            return _replay(write, stored)
        response = effect()
        if response.status_code < 500 and response.status_code not in _NEVER_KEPT:
            _store(write, response, is_secret)
        return response


def undoing(effect: Callable[[], HttpResponse], answer: Callable[[Exception], HttpResponse]) -> HttpResponse:
    """Run `effect` in a savepoint; what it raises is undone and becomes an answer."""
    try:
        with transaction.atomic():
            return effect()
    except Exception as error:
        if connection.connection is None or connection.connection.closed:
            raise
        return answer(error)


def purge_old() -> int:
    """Forget the answers that no retry can ask for any more; how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM api_storedresponse WHERE created_at < now() - make_interval(hours => %s)", [KEPT_HOURS]
        )
        return int(cursor.rowcount)


def _lock(write: KeyedWrite) -> bool:
    number = int.from_bytes(bytes.fromhex(write.scope[:16]), "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        row = cursor.fetchone()
    return bool(row and row[0])


def _is_old(stored: StoredResponse) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s < now() - make_interval(hours => %s)", [stored.created_at, KEPT_HOURS])
        row = cursor.fetchone()
    return bool(row and row[0])


def _replay(write: KeyedWrite, stored: StoredResponse) -> HttpResponse:
    if stored.fingerprint != write.fingerprint:
        raise ReplayMismatch("This key was used with another body")
    body = bytes(stored.body)
    if stored.is_sealed:
        body = sealing.unseal(body.decode("ascii"), purpose=_PURPOSE).encode()
    response = HttpResponse(body, status=stored.status)
    for name, value in stored.headers.items():
        response[name] = value
    response["Idempotency-Replayed"] = "true"
    return response


def _store(write: KeyedWrite, response: HttpResponse, is_secret: bool) -> None:
    body = response.content
    if is_secret:
        body = sealing.seal(body.decode(), purpose=_PURPOSE).encode("ascii")
    headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO api_storedresponse (client_id, scope, fingerprint, status, headers, body, is_sealed)"
            " VALUES (%s, %s, %s, %s, %s::jsonb, %s, %s)"
            " ON CONFLICT (client_id, scope) DO UPDATE SET fingerprint = EXCLUDED.fingerprint,"
            " status = EXCLUDED.status, headers = EXCLUDED.headers, body = EXCLUDED.body,"
            " is_sealed = EXCLUDED.is_sealed, created_at = now()",
            [
                write.client_id,
                write.scope,
                write.fingerprint,
                response.status_code,
                json.dumps(headers),
                body,
                is_secret,
            ],
        )
