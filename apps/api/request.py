"""What does a view see of a request? DRF's Request, made without what few answers ask for."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Empty, Request


class ApiRequest(Request):
    """A small read asks for little more than META: the means to read a body are found when there is one to read.

    Nor does it lead back to itself or to its view: of such rings every request would leave one to the garbage
    collector. Whose request it is, the view base tells it before anybody asks.
    """

    authenticators = ()
    _user = _auth = None
    _data = _files = _full_data = _content_type = Empty
    _stream: Any = Empty

    def __init__(self, request: HttpRequest, parser_classes: Sequence[type[BaseParser]]) -> None:
        self._request = request
        # DRF would find them in the end, by __getattr__.
        self.META, self.method = request.META, request.method
        self._parser_classes = parser_classes

    @property
    def parsers(self) -> list[BaseParser]:  # type: ignore[override]  # an attribute that DRF sets once
        return [parser() for parser in self._parser_classes]

    @property
    def negotiator(self) -> BaseContentNegotiation:  # type: ignore[override]
        return DefaultContentNegotiation()

    @property
    def parser_context(self) -> dict[str, Any]:  # type: ignore[override]
        return {"request": self, "encoding": self._request.encoding or settings.DEFAULT_CHARSET}
