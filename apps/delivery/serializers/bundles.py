"""What may a request about bundles say, and what does the answer say? (004 3.9 and 3.10, contract 9, 12)"""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.api.wire import Instant, Text, WireSerializer
from apps.delivery.models import Bundle
from apps.delivery.serializers.envelope import enveloped


class BundleBody(WireSerializer):
    course_version_id = Text(max_length=64)


class RevokeBundleBody(WireSerializer):
    reason = Text(required=False, allow_blank=True, max_length=500, default="")


class LicenseBody(WireSerializer):
    device_id = Text(max_length=64)
    expires_at = Instant(required=False, help_text="At most a year from now; thirty days where it is left out")


class MountBody(WireSerializer):
    bundle_id = Text()
    license_envelope = Text(help_text="As it was issued")
    bundle_checksum = Text(help_text="Of the bytes that the device has: `sha256-` and lower-case hex")


class UnmountBody(WireSerializer):
    mount_id = Text()
    reason = Text(required=False, allow_blank=True, max_length=500, default="")


class TextOrNull(serializers.CharField):
    """Null where there is nothing to tell."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_null": True, **kwargs})

    def to_representation(self, value: str) -> str:
        return value or None  # type: ignore[return-value]  # which DRF writes as null


class BundleOut(WireSerializer):
    id = serializers.CharField()
    course_version_id = serializers.CharField()
    status = serializers.ChoiceField(choices=Bundle.Status.choices)
    checksum = TextOrNull(help_text="Of the bytes that `download` gives, once it is ready")
    size = serializers.IntegerField(allow_null=True, help_text="In bytes")
    problem = TextOrNull(help_text="Why it could not be built")
    created_at = Instant()
    revoked_at = Instant(allow_null=True)


class LicenseOut(WireSerializer):
    license_envelope = serializers.CharField(help_text="A compact JWS")
    expires_at = Instant()


class MountOut(WireSerializer):
    mount_id = serializers.CharField(source="mount.id")
    bundle_id = serializers.CharField(source="mount.bundle_id")
    expires_at = Instant(source="mount.expires_at")
    signature_valid = serializers.BooleanField(default=True)


class UnmountOut(WireSerializer):
    mount_id = serializers.CharField(source="mount.id")
    unmounted_at = Instant(source="mount.unmounted_at")
    reason = serializers.CharField(source="mount.reason", allow_blank=True)


class LicenseKeyOut(WireSerializer):
    """RFC 7517 and 8037. `y` is of ES256 alone."""

    kty = serializers.ChoiceField(choices=["OKP", "EC"])
    crv = serializers.ChoiceField(choices=["Ed25519", "P-256"])
    kid = serializers.CharField()
    alg = serializers.ChoiceField(choices=["EdDSA", "ES256"])
    use = serializers.ChoiceField(choices=["sig"])
    x = serializers.CharField()
    y = serializers.CharField(required=False)


@extend_schema_serializer(many=False)
class LicenseKeySetOut(WireSerializer):
    keys = LicenseKeyOut(many=True)


BundleEnvelope, LicenseEnvelope = enveloped(BundleOut), enveloped(LicenseOut)
MountEnvelope, UnmountEnvelope = enveloped(MountOut), enveloped(UnmountOut)
