"""Who asks, and for which client? What every view of the catalogue reads from a request."""

from typing import cast

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from apps.accounts.principal import Principal


def client_parameter(text: str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter("clientId", str, OpenApiParameter.QUERY, description=text, required=required)


def principal_of(request: Request) -> Principal:
    return cast(Principal, request.user)
