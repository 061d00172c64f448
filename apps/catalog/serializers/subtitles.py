"""What does the upload of a subtitle look like, and what does its answer?"""

from rest_framework import serializers

from apps.api import wire
from apps.catalog.serializers.workspace import WorkspaceOut


class SubtitleBody(wire.WireSerializer):
    locale = serializers.ChoiceField(["en", "zh_Hant", "zh_Hans"])
    file = serializers.FileField(help_text="WebVTT (.vtt), UTF-8, up to 2 MiB")


class SubtitleUploadedOut(wire.WireSerializer):
    success = serializers.BooleanField()
    subtitle_url = serializers.CharField(help_text="works until the next upload for that locale")
    catalog = WorkspaceOut()
