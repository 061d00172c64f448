"""What may a question to the tutor say, and what does its answer say? (004 3.7 and 3.8)"""

from rest_framework import serializers

from apps.api.wire import Text, WireSerializer
from apps.delivery.serializers.envelope import enveloped


class AskBody(WireSerializer):
    prompt = Text(max_length=4000, help_text="About the lesson that the session's cursor is on")


class StreamQuery(WireSerializer):
    turn_id = Text(max_length=64)


class AskedOut(WireSerializer):
    turn_id = serializers.CharField()
    stream_url = serializers.CharField()


AskedEnvelope = enveloped(AskedOut)
