"""What may a request about courses say, and what does the answer say? (contract 12)"""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api import wire
from apps.delivery import validation
from apps.delivery.serializers.envelope import enveloped, listed
from apps.kernel.localized import Localized

_LONGEST_TITLE = 200


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    """The schema without `$defs`: in an OpenAPI document their references would lead elsewhere."""
    if isinstance(node, list):
        return [_inlined(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(definitions[node["$ref"].removeprefix("#/$defs/")], definitions)
    return {key: _inlined(value, definitions) for key, value in node.items() if key not in ("$defs", "$schema")}


@extend_schema_field(_inlined(validation.schema(), validation.schema()["$defs"]))
class ManifestField(serializers.JSONField):
    """Taken as it is: its shape is the service's to look at, which names each fault by a pointer."""


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]})
class TitleField(wire.LocalizedField):
    """Text by locale, or a string, which is English. There is always an English one."""

    default_error_messages = {"long": f"A title has at most {_LONGEST_TITLE} characters."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(spelling="hyphen", required_locale="en", **kwargs)

    def to_internal_value(self, data: Any) -> Localized:
        given = super().to_internal_value({"en": data} if isinstance(data, str) else data)
        # What is empty was not said.
        title = {locale: text.strip() for locale, text in given.items() if text.strip()}
        if "en" not in title:
            self.fail("text", locale="en")
        if any(len(text) > _LONGEST_TITLE for text in title.values()):
            self.fail("long")
        return title


class CourseBody(wire.WireSerializer):
    title = TitleField()


class CourseVersionBody(wire.WireSerializer):
    manifest = ManifestField()


class CourseOut(wire.WireSerializer):
    id = serializers.CharField()
    title = wire.LocalizedField(spelling="hyphen")
    created_at = wire.Instant()


class CourseVersionOut(wire.WireSerializer):
    """A version is published when it is made, and never changes."""

    id = serializers.CharField()
    course_id = serializers.CharField()
    number = serializers.IntegerField(min_value=1)
    status: Any = serializers.ChoiceField(["published"], default="published")
    created_at = wire.Instant()


class CourseManifestOut(CourseVersionOut):
    """A version with all that is in it."""

    title = wire.LocalizedField(spelling="hyphen", source="course.title", help_text="The course's")
    manifest = ManifestField(source="package.manifest")


CourseEnvelope, CoursePage = enveloped(CourseOut), listed(CourseOut)
CourseVersionEnvelope, CourseVersionPage = enveloped(CourseVersionOut), listed(CourseVersionOut)
CourseManifestEnvelope = enveloped(CourseManifestOut)
