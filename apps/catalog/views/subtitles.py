"""Where administrators upload a lesson's subtitle (002)."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog import media
from apps.catalog.serializers.subtitles import SubtitleBody, SubtitleUploadedOut
from apps.catalog.services import upload_subtitle
from apps.catalog.services.subtitles import MOST_BYTES
from apps.catalog.views.asking import principal_of
from apps.catalog.views.workspace import MANAGED, WorkspaceViewSet, catalog_of
from apps.kernel.clock import now
from apps.kernel.refusals import BadRequest, Detail

_ENVELOPE_BYTES = 16 * 1024


class SubtitleViewSet(WorkspaceViewSet):
    """One localized WebVTT file of a lesson."""

    parser_classes = (MultiPartParser,)
    max_body_bytes = MOST_BYTES + _ENVELOPE_BYTES

    @extend_schema(
        operation_id="upload_subtitle",
        parameters=[OpenApiParameter("lesson_id", str, OpenApiParameter.PATH), MANAGED],
        request={"multipart/form-data": SubtitleBody},
        responses={200: SubtitleUploadedOut},
    )
    def upload(self, request: Request, lesson_id: str) -> Response:
        """Upload or replace a lesson's subtitle in one locale; a job looks into it, see `subtitles` in the catalog."""
        self.raw_body()
        locale, file = self._sent(request.data)
        client = self.managed_client
        subtitle = upload_subtitle(
            client=client,
            lesson_id=lesson_id,
            locale=locale,
            content=file.read(),
            file_name=file.name or "",
            author=principal_of(request).subject,
            now=now(),
        )
        address = media.address_of(subtitle.file_id)
        return Response({"success": True, "subtitleUrl": address, "catalog": catalog_of(client)})

    @staticmethod
    def _sent(form: Any) -> tuple[str, "UploadedFile[bytes]"]:
        locale, file = form.get("locale"), form.get("file")
        missing = [Detail("locale", "This field is required.")] if not isinstance(locale, str) else []
        if not isinstance(file, UploadedFile):
            missing.append(Detail("file", "Must be a file."))
        if missing:
            raise BadRequest("Invalid request", details=missing)
        return locale, file
