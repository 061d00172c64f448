"""`/api/v1/sync`: what devices did offline, and what all of them together make of it (contract 9, "Push", 12)."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import allow
from apps.accounts.principal import Role
from apps.api import cursors
from apps.api.cursors import CursorInvalid
from apps.delivery import presentation, snapshots
from apps.delivery.models import SyncMutation
from apps.delivery.serializers import sync as wire
from apps.delivery.services import syncing
from apps.delivery.services.sessions import NotOwner, require_owner
from apps.delivery.views.asking import DeliveryViewSet
from apps.delivery.views.pages import page
from apps.kernel.clock import now

_PURPOSE = "sync.pull"


class SyncViewSet(DeliveryViewSet):
    """A learner's devices tell and ask; administrators read what was told."""

    refusals: ClassVar = {"pull": (CursorInvalid,), "mutations": (CursorInvalid, NotOwner)}
    reads = ("pull",)

    def get_permissions(self) -> list[BasePermission]:
        return super().get_permissions() if self.action == "mutations" else [allow(Role.END_USER)()]

    @extend_schema(operation_id="pushMutations", request=wire.PushBody, responses={200: wire.PushedEnvelope})
    @action(detail=False, methods=["post"])
    def push(self, request: Request) -> Response:
        """Tell what was done offline: a verdict on each. Told again, or in another order, it ends in the same."""
        told = [wire.told_of(raw) for raw in self.read_body(wire.PushBody)["mutations"]]
        results = syncing.push_mutations(client_id=self.client_id, user_id=self.principal.subject, told=told, now=now())
        return self.envelope({"results": [presentation.verdict(each) for each in results]})

    @extend_schema(operation_id="pullChanges", request=wire.PullBody, responses={200: wire.PulledEnvelope})
    @action(detail=False, methods=["post"])
    def pull(self, request: Request) -> Response:
        """What has changed since: the caller's sessions, as the server and all devices together have them."""
        body = self.optional_body(wire.PullBody)
        size, whose = body["page_size"], {"client": self.client_id, "user": self.principal.subject}
        since = cursors.unseal(_PURPOSE, body["cursor"], whose)[0] if body.get("cursor") is not None else 0
        found = snapshots.changes_after(self.client_id, self.principal.subject, since, size + 1)
        shown = found[:size]
        told = {
            "changes": [presentation.snapshot(each) for each in shown],
            "nextCursor": cursors.seal(_PURPOSE, [shown[-1].number if shown else since], whose),
            "hasMore": len(found) > size,
        }
        return self.envelope(told)

    @extend_schema(operation_id="listSyncMutations", parameters=[wire.MutationsQuery], responses=wire.MutationPage)
    @action(detail=False, methods=["get"])
    def mutations(self, request: Request) -> Response:
        """What was told, newest first: the caller's, or of administrators the tenant's."""
        query: dict[str, Any] = self.read_query(wire.MutationsQuery)
        if "user_id" in query:
            require_owner(self.principal, query["user_id"])
        filters = {name: query[name] for name in ("verdict", "user_id") if name in query}
        rows = SyncMutation.objects.visible_to(self.principal, self.client_id).filter(**filters)
        return page(self, rows, query, presentation.kept_mutation)
