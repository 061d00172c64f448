"""What may a request about devices say, and what does the answer say? (contract 12)"""

from rest_framework import serializers

from apps.api import wire
from apps.delivery.serializers.envelope import PageQuery, enveloped, listed


class DeviceBody(wire.WireSerializer):
    user_id = wire.Text(required=False, max_length=128, help_text="A learner registers their own, named or not.")
    name = wire.Text(max_length=200, trim_whitespace=True)


class DeviceChangeBody(wire.WireSerializer):
    trusted = wire.Flag()


class DevicesQuery(PageQuery):
    user_id = wire.Text(required=False)


class DeviceOut(wire.WireSerializer):
    id = serializers.CharField()
    user_id = serializers.CharField()
    name = serializers.CharField()
    trusted = serializers.BooleanField()
    created_at = wire.Instant()


DeviceEnvelope, DevicePage = enveloped(DeviceOut), listed(DeviceOut)
