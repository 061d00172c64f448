"""How does every route behave, whatever its dialect? Order of checks, one transaction a write, keyed writes, limits.

Authentication → permission → tenant → idempotency → shape → rules → effect (contract 2).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, wraps
from typing import Any, ClassVar, Protocol, cast

from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from apps.api import answered, dialect, idempotency
from apps.api.dialect import SAFE_METHODS
from apps.api.limits import Limit, begin_noting, noted, take
from apps.api.parsing import MAX_JSON_BYTES
from apps.api.rendering import JSONRenderer
from apps.api.request import ApiRequest
from apps.kernel.refusals import BadRequest, TooLarge
from apps.tenants import binding

_JSON = JSONRenderer()
_LONGEST_REMEMBERED = 500
_Reader = Callable[[Any, bytes], dict[str, Any]]


class Caller(Protocol):
    """What this room needs to know of whoever asks: their tenant, and a name that is theirs alone within it."""

    @property
    def client_id(self) -> str: ...

    @property
    def scope(self) -> str: ...


class ApiViewSet(GenericViewSet[Any]):
    """The common ground of both dialects; use GofaViewSet or PlatformViewSet."""

    limits: ClassVar[Sequence[Limit]] = ()
    max_body_bytes: ClassVar[int] = MAX_JSON_BYTES
    # Their answers hold what is shown once: what is kept of them for a retry is sealed.
    secret_actions: ClassVar[frozenset[str]] = frozenset()
    pagination_class = None
    filter_backends: Sequence[type[BaseFilterBackend]] = ()
    request: Request
    # Whoever asks, or nobody; known from `initial` on. DRF's own `request.user` is slow to ask again and again.
    caller: Caller | None

    @classmethod
    def as_view(cls, actions: Any = None, **initkwargs: Any) -> Any:
        """A view without DRF's rings: there, each view holds its handlers, which hold the view. Every request would
        leave one to the garbage collector."""
        described = super().as_view(actions, **initkwargs)
        handled = {"head": actions["get"], **actions} if "get" in actions else actions

        @wraps(described)
        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            self = cls(**initkwargs)
            self.action_map = handled
            return self.dispatch(request, *args, **kwargs)

        return view

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who is asking, and may they? There is one version, and one form of every answer whatever `Accept` says."""
        request.accepted_renderer, request.accepted_media_type = _JSON, _JSON.media_type
        self.caller = request.user = self.authenticated(request)
        self.check_permissions(request)

    def authenticated(self, request: Request) -> Any:
        """The bearer of the first credential that one of `authentication_classes` finds, or None."""
        for authenticator in self.get_authenticators():
            found = authenticator.authenticate(request)
            if found is not None:
                return found[0]
        return None

    def tenant_of(self, request: Request) -> str:
        """The client that this request is about: the caller's, unless a route lets them name another."""
        return self.caller.client_id if self.caller else binding.NO_CLIENT

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        begin_noting()
        try:
            response = self.respond(request, *args, **kwargs)
        except Exception as error:
            response = self.answer_refusal(error)
        self.note_limits()
        answer: HttpResponseBase = self.finalize_response(self.request, response, *args, **kwargs)
        self.tell_answered(request, answer)
        return answer

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        method = (request.method or "").lower()
        self.action = "metadata" if method == "options" else self.action_map.get(method, "")
        return ApiRequest(request, self.parser_classes)

    def respond(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.initial(self.request, *args, **kwargs)
        handler = self.handler_of((request.method or "").lower())
        if handler is None:
            raise dialect.MethodNotAllowed
        self.client_id = self.tenant_of(self.request)
        binding.bind(self.client_id)
        take([(limit, self.limit_scope(limit)) for limit in self.limits])
        if request.method in SAFE_METHODS:
            response = handler(self.request, *args, **kwargs)
        else:
            response = self.write(lambda: handler(self.request, *args, **kwargs))
        return response

    def note_limits(self) -> None:
        """What the buckets hold that this request took from, for the answer's headers."""
        for reading in noted():
            self.headers.update(reading.headers)

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """What may be done here. DRF's describes a serializer, which these views do not have one of."""
        return HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    def tell_answered(self, request: HttpRequest, answer: HttpResponseBase) -> None:
        """A refusal is no call that anybody counts, nor is the same answer once more."""
        match = request.resolver_match
        if answer.status_code < 400 and match is not None and "Idempotency-Replayed" not in answer.headers:
            answered.tell(self.client_id, request.method or "", match.route)

    def handler_of(self, method: str) -> Callable[..., Any] | None:
        name = self.action_map.get(method, "options" if method == "options" else "")
        return getattr(self, name) if name else None

    @property
    def allowed_methods(self) -> list[str]:
        return [method.upper() for method in self.http_method_names if self.handler_of(method)]

    def write(self, effect: Callable[[], Any]) -> HttpResponseBase:
        """One transaction; a keyed write answers its retries from the store."""
        key = self.idempotency_key()
        if key is None or self.caller is None:
            with binding.atomic():
                return cast(HttpResponseBase, effect())
        content = idempotency.without_boundary(self.raw_body(), self.request.META.get("CONTENT_TYPE", ""))
        body = self.request.META.get("QUERY_STRING", "").encode() + b"\n" + content
        path, method = self.request.path, self.request.method or ""
        keyed = idempotency.KeyedWrite.of(self.client_id, self.caller.scope, method, path, key, body)
        return idempotency.once(
            keyed,
            lambda: idempotency.undoing(lambda: self.rendered(effect()), self.answer_refusal),
            is_secret=self.action in self.secret_actions,
        )

    def read_body(self, serializer_class: type[BaseSerializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        """The body in the shape of the serializer; a refusal whose `details` name each wrong field."""
        if self.request.META.get("CONTENT_LENGTH") in (None, "", "0"):
            # DRF would take it for an empty object.
            raise BadRequest("Body must be a JSON object")
        return _validated(serializer_class, self.request.data, partial=partial)

    def query_value(self, name: str) -> str | None:
        return self.query_values().get(name)

    def query_values(self) -> Mapping[str, str]:
        """The values of the query as they stand there; of several of one name the last."""
        query = self.request.META.get("QUERY_STRING", "").encode("latin-1")
        read = _remembered_values if len(query) <= _LONGEST_REMEMBERED else _values
        return read(query)

    def read_query(self, serializer_class: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The query in the shape of the serializer, which looks at nothing else: the same address reads the same."""
        query = self.request.META.get("QUERY_STRING", "").encode("latin-1")
        read: _Reader = _remembered_query if len(query) <= _LONGEST_REMEMBERED else _read_query
        return dict(read(serializer_class, query))

    def idempotency_key(self) -> str | None:
        return self.request.META.get("HTTP_IDEMPOTENCY_KEY")

    def raw_body(self) -> bytes:
        """The body as it came, within this route's limit."""
        declared = self.request.META.get("CONTENT_LENGTH") or "0"
        if declared.isdecimal() and int(declared) > self.max_body_bytes:
            raise TooLarge("Body is too large")
        return bytes(self.request._request.body)

    def rendered(self, response: HttpResponseBase) -> HttpResponse:
        """The bytes, while the transaction that made them is still open."""
        final: Any = self.finalize_response(self.request, cast(Any, response), *self.args, **self.kwargs)
        return cast(HttpResponse, final.render() if isinstance(final, Response) else final)

    def limit_scope(self, limit: Limit) -> str:
        """Whose bucket is taken from; a route that limits by something else says so here."""
        return f"{self.client_id}:{self.caller.scope}" if self.caller else str(self.request.META.get("REMOTE_ADDR", ""))

    def answer_refusal(self, error: Exception) -> HttpResponse:
        response = dialect.answer(self.request._request, error)
        if response.status_code == 405:
            response["Allow"] = ", ".join(self.allowed_methods)
        return response


def _values(query: bytes) -> dict[str, str]:
    return QueryDict(query).dict()


def _read_query(serializer_class: type[BaseSerializer[Any]], query: bytes) -> dict[str, Any]:
    return _validated(serializer_class, _values(query))


# The same addresses are asked for again and again; what an odd one costs is bounded by its length and their number.
_remembered_values: Callable[[bytes], dict[str, str]] = lru_cache(maxsize=4_000)(_values)
_remembered_query: _Reader = lru_cache(maxsize=4_000)(_read_query)


def _validated(serializer_class: type[BaseSerializer[Any]], data: Any, *, partial: bool = False) -> dict[str, Any]:
    try:
        return cast("dict[str, Any]", _shape(serializer_class, partial).run_validation(data))
    except ValidationError:
        # Anew, so that the faults are told in DRF's one form.
        serializer = serializer_class(data=data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return cast("dict[str, Any]", serializer.validated_data)


def _shape(serializer_class: type[BaseSerializer[Any]], partial: bool) -> BaseSerializer[Any]:
    """One for all requests: checking changes nothing in it, and to copy its fields takes longer than to check them."""
    if (serializer_class, partial) not in _shapes:
        _shapes[serializer_class, partial] = serializer_class(partial=partial)
    return _shapes[serializer_class, partial]


_shapes: dict[tuple[type[BaseSerializer[Any]], bool], BaseSerializer[Any]] = {}
