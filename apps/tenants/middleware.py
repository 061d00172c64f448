"""Who is bound when a request begins? Nobody: threads are used again, and a context variable outlives a request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.tenants import binding


class UnboundMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        binding.unbind()
        try:
            return self.get_response(request)
        finally:
            binding.unbind()
