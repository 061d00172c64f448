"""`/api/v1/license-keys`: by which keys a device reads its licences (contract 9, 12)."""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from apps.api import conditional
from apps.api.rendering import as_json
from apps.delivery.serializers.bundles import LicenseKeySetOut
from apps.delivery.services import licensing
from apps.delivery.views.asking import DeliveryViewSet
from apps.kernel.clock import now

# A rotated key signs at once, so whoever meets an unknown `kid` asks again; others need not.
_FRESH_SECONDS = 60


class LicenseKeyViewSet(DeliveryViewSet):
    """For whoever belongs to the tenant."""

    @extend_schema(operation_id="listLicenseKeys", responses=LicenseKeySetOut)
    def list(self, request: Request) -> HttpResponse:
        """A JSON Web Key Set, bare: the key that signs, and retired ones whose licences still count."""
        content = as_json(licensing.key_set(client_id=self.client_id, now=now()))
        headers = {
            "Cache-Control": f"private, max-age={_FRESH_SECONDS}",
            "Vary": f"{conditional.VARY}, X-Tenant-Id",
        }
        return HttpResponse(content, content_type="application/json", headers=headers)
