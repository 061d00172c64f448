"""Routine templates, as administrators make and choose them (003, contract 8)."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_training import presentation
from apps.ai_training.models import RoutineTemplate
from apps.ai_training.querysets import TemplateQuerySet
from apps.ai_training.serializers import templates as wire
from apps.ai_training.services import (
    TemplateFields,
    TemplateNotFound,
    create_template,
    publish_template,
    show_templates,
    update_template,
)
from apps.ai_training.states import TemplateStatus
from apps.ai_training.views.asking import OTHER_CLIENT, TEMPLATE_ID, ManagedViewSet
from apps.kernel.clock import now
from apps.kernel.refusals import BadRequest


class TemplateViewSet(ManagedViewSet):
    lookup_url_kwarg = "routine_template_id"
    lookup_value_regex = "[^/]+"

    @extend_schema(operation_id="list_routine_templates", parameters=[OTHER_CLIENT], responses=wire.RoutineTemplatesOut)
    def list(self, request: Request) -> Response:
        """The client's own templates, and those that it can choose from the library."""
        shown = [presentation.template(row, to_client=self.client_id) for row in self.templates.order_by("pk")]
        return Response(wire.RoutineTemplatesOut({"routine_templates": shown}).data)

    @extend_schema(
        operation_id="create_routine_template",
        parameters=[OTHER_CLIENT],
        request=wire.RoutineTemplateBody,
        responses={201: wire.OneRoutineTemplateOut},
    )
    def create(self, request: Request) -> Response:
        """A new template of the client: a draft, until it is published."""
        fields = cast(TemplateFields, self.read_body(wire.RoutineTemplateBody))
        template = create_template(client=self.client, fields=fields, author=self.principal.subject, now=now())
        return self._shown(template.id, status=201)

    @extend_schema(
        operation_id="get_routine_template",
        parameters=[TEMPLATE_ID, OTHER_CLIENT],
        responses=wire.OneRoutineTemplateOut,
    )
    def retrieve(self, request: Request, routine_template_id: str) -> Response:
        """One template of those that the list shows."""
        return self._shown(routine_template_id)

    @extend_schema(
        operation_id="update_routine_template",
        parameters=[TEMPLATE_ID, OTHER_CLIENT],
        request=wire.RoutineTemplateChanges,
        responses={200: wire.OneRoutineTemplateOut},
    )
    def partial_update(self, request: Request, routine_template_id: str) -> Response:
        """Change what is given, in the draft; what is published serves on until the draft is published."""
        changes = self.read_body(wire.RoutineTemplateChanges)
        if not changes:
            raise BadRequest("No valid fields to update")
        author, status = self.principal.subject, changes.pop("status", None)
        update_template(
            client=self.client,
            template_id=routine_template_id,
            fields=cast(TemplateFields, changes),
            status=status,
            author=author,
            now=now(),
            merging=True,
        )
        return self._shown(routine_template_id)

    @extend_schema(
        operation_id="publish_routine_template",
        parameters=[TEMPLATE_ID, OTHER_CLIENT],
        request=None,
        responses={200: wire.OneRoutineTemplateOut},
    )
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, routine_template_id: str) -> Response:
        """Freeze the draft and have it serve. Whoever was given an earlier version keeps it."""
        author = self.principal.subject
        publish_template(client=self.client, template_id=routine_template_id, author=author, now=now())
        return self._shown(routine_template_id)

    @property
    def templates(self) -> TemplateQuerySet:
        return RoutineTemplate.objects.managed_by(self.client_id).with_content()

    def _shown(self, template_id: str, *, status: int = 200) -> Response:
        row = self.templates.filter(pk=template_id).first()
        if row is None:
            raise TemplateNotFound
        shown = presentation.template(row, to_client=self.client_id)
        return Response(wire.OneRoutineTemplateOut({"routine_template": shown}).data, status=status)


class CatalogViewSet(ManagedViewSet):
    @extend_schema(operation_id="get_training_catalog", parameters=[OTHER_CLIENT], responses=wire.TrainingCatalogOut)
    def retrieve(self, request: Request) -> Response:
        """The client's templates and the library's, and which of those its people can be given."""
        return self._shown()

    @extend_schema(
        operation_id="update_training_catalog",
        parameters=[OTHER_CLIENT],
        request=wire.TrainingCatalogChanges,
        responses={200: wire.TrainingCatalogOut},
    )
    def partial_update(self, request: Request) -> Response:
        """Which templates of the library are visible: all of them."""
        template_ids = self.read_body(wire.TrainingCatalogChanges)["visible_library_template_ids"]
        show_templates(client=self.client, template_ids=template_ids)
        return self._shown()

    def _shown(self) -> Response:
        rows = RoutineTemplate.objects.managed_by(self.client_id).exclude(status=TemplateStatus.ARCHIVED)
        templates = rows.with_visibility(self.client_id).with_content().order_by("pk")
        shown = [presentation.template(row, to_client=self.client_id) for row in templates]
        serving = [each for each in shown if each["visible"] and each["published_version"] is not None]
        chosen = [each for each in serving if each["source"] == "library"]
        catalog = {
            "client_id": self.client_id,
            "templates": shown,
            "visible_library_template_ids": [each["routine_template_id"] for each in chosen],
        }
        return Response(wire.TrainingCatalogOut(catalog).data)
