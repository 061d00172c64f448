"""What is around every answer of the platform dialect? (contract 2, 9)"""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.api import wire


class MetaOut(wire.WireSerializer):
    request_id = serializers.CharField()
    api_version = serializers.CharField()
    trace_id = serializers.CharField()


class PlaceOut(wire.WireSerializer):
    """Where a page stands in its list."""

    size = serializers.IntegerField()
    cursor = serializers.CharField(allow_null=True)
    next_cursor = serializers.CharField(allow_null=True)


class PageMetaOut(MetaOut):
    page = PlaceOut()


def enveloped(row: type[wire.WireSerializer]) -> Any:
    """One row with its `meta`."""
    return type(f"{_name(row)}Envelope", (wire.WireSerializer,), {"data": row(), "meta": MetaOut()})


def listed(row: type[wire.WireSerializer]) -> Any:
    """A page of rows, whose `meta` tells where it stands."""
    made = type(f"{_name(row)}Page", (wire.WireSerializer,), {"data": row(many=True), "meta": PageMetaOut()})
    # The page of an action called list is still one object.
    return extend_schema_serializer(many=False)(made)


def _name(row: type[wire.WireSerializer]) -> str:
    return row.__name__.removesuffix("Out")


class PageQuery(wire.WireSerializer):
    """A page of a list, newest first."""

    limit = wire.QueryWhole(min_value=1, max_value=100, default=20)
    cursor = wire.Text(required=False, help_text="`nextCursor` of the page before, with the same filters")
