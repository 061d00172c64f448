"""What can be looked at and decided about one routine beside its form? Preview, publishing, versions (contract 11)."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext, gettext_lazy

from apps.ai_training import differences, services
from apps.ai_training.admin.shown_versions import ShownDifferences, ShownStep, version_state
from apps.ai_training.admin.training_admin import TrainingAdmin
from apps.ai_training.admin.wording import goal_name, intensity_name, tier_names, title_of
from apps.ai_training.models import RoutineTemplate, RoutineTemplateVersion
from apps.ai_training.outline import SECONDS_A_REPETITION, outline_of
from apps.ai_training.player import spoken_time
from apps.ai_training.states import TemplateStatus, VersionStatus
from apps.kernel.clock import now
from apps.kernel.refusals import Refusal
from apps.kernel.sentences import translated
from apps.tenants import binding
from apps.tenants.models import Client

_LONGEST_NUMBER = 9
_FOLDER = "admin/ai_training/routinetemplate"


class TemplatePages(TrainingAdmin):
    """Each page begins with the template that the address names, as far as it is there for whoever asks."""

    def get_urls(self) -> list[URLPattern]:
        pages = (
            ("preview", self.preview),
            ("publish", self.publish),
            ("versions", self.versions),
            ("version", self.one_version),
            ("archive", self.archive),
        )
        return [*(self.page(f"<path:object_id>/{name}/", view, name) for name, view in pages), *super().get_urls()]

    # --- looking ---

    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What somebody goes through who is given it, step by step, with totals."""
        template = self._asked(request, object_id)
        if template is None:
            return self.unknown(request, object_id)
        version = self._versions_of(template).with_steps().get(pk=template.shown_id)
        return self._show(request, template, "preview.html", **_outline(version))

    def versions(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Every version that there was, the latest first, and what each changed."""
        template = self._asked(request, object_id)
        if template is None:
            return self.unknown(request, object_id)
        if not self.is_own(template):
            raise PermissionDenied
        rows = list(self._versions_of(template).order_by("number").prefetch_related("steps__exercise"))
        shown: list[dict[str, Any]] = []
        before: services.TemplateFields | None = None
        for version in rows:
            content = services.content_of(version)
            changes = ShownDifferences(differences.between(before, content), template.client_id) if before else None
            shown.append({"row": version, "state": version_state(version), "changes": changes})
            before = content
        return self._show(request, template, "versions.html", versions=shown[::-1])

    def one_version(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """An earlier version whole, and what restoring it would do to the draft; POST restores it."""
        template = self._asked(request, object_id)
        if template is None:
            return self.unknown(request, object_id)
        version = self._named_version(request, template)
        if request.method == "POST":
            return self._decide(
                request,
                template,
                lambda client, author: services.restore_version(
                    client=client, template_id=template.pk, number=version.number, author=author, now=now()
                ),
                gettext("Version %(number)s stands in the draft again. People get it when it is published.")
                % {"number": version.number},
            )
        current = self._versions_of(template).get(pk=template.shown_id)
        found = differences.between(services.content_of(current), services.content_of(version))
        can_restore = self._may_write(template) and version.status != VersionStatus.DRAFT and not found.is_empty
        return self._show(
            request,
            template,
            "version.html",
            version_state=version_state(version),
            changes=ShownDifferences(found, template.client_id),
            can_restore=can_restore,
            **_outline(version),
        )

    # --- deciding ---

    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What people would get that is different; POST publishes it."""
        template = self._asked(request, object_id)
        if template is None:
            return self.unknown(request, object_id)
        self.require("change", request, template)
        if request.method == "POST":
            return self._decide(
                request,
                template,
                lambda client, author: services.publish_template(
                    client=client, template_id=template.pk, author=author, now=now()
                ),
                gettext("The routine is published. Whoever was given an earlier version keeps it."),
            )
        versions = {row.status: row for row in self._versions_of(template).exclude(status=VersionStatus.SUPERSEDED)}
        draft, published = versions.get(VersionStatus.DRAFT), versions.get(VersionStatus.PUBLISHED)
        changes = None
        if draft is not None and published is not None:
            changes = ShownDifferences(
                differences.between(services.content_of(published), services.content_of(draft)), template.client_id
            )
        return self._show(
            request,
            template,
            "publish.html",
            draft=draft,
            published=published,
            changes=changes,
            **_outline(self._versions_of(template).with_steps().get(pk=template.shown_id)),
        )

    def archive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks before it does: what is archived is never given to anybody again."""
        template = self._asked(request, object_id)
        if template is None:
            return self.unknown(request, object_id)
        self.require("change", request, template)
        if request.method == "POST":
            return self._decide(
                request,
                template,
                lambda client, author: services.update_template(
                    client=client,
                    template_id=template.pk,
                    fields={},
                    status=TemplateStatus.ARCHIVED,
                    author=author,
                    now=now(),
                ),
                gettext("The routine is archived."),
            )
        return self._show(request, template, "archive.html")

    # --- what they share ---

    def standing_of(self, template: Any) -> dict[str, Any]:
        """Which versions there are, for the words above the form."""
        return {
            "draft_number": template.draft_number,
            "published_number": template.published_number,
            "is_archived": template.status == TemplateStatus.ARCHIVED,
        }

    @staticmethod
    def state_of(template: Any) -> tuple[Any, str]:
        """In words and as a kind: draft, published, changed or archived."""
        if template.status == TemplateStatus.PUBLISHED and template.draft_number is not None:
            return gettext_lazy("Draft waiting"), "changed"
        words = {
            TemplateStatus.DRAFT: gettext_lazy("Never published"),
            TemplateStatus.PUBLISHED: gettext_lazy("Published"),
            TemplateStatus.ARCHIVED: gettext_lazy("Archived"),
        }
        return words[template.status], template.status

    def _asked(self, request: HttpRequest, object_id: str) -> Any:
        template = self.get_object(request, unquote(object_id))
        if template is not None:
            self.require("view", request, template)
        return template

    def _may_write(self, template: RoutineTemplate) -> bool:
        return self.may("change", template)

    def _versions_of(self, template: RoutineTemplate) -> Any:
        """All to its owner; of the library's to anybody else what is published."""
        rows = RoutineTemplateVersion.objects.filter(template=template)
        return rows if self.is_own(template) else rows.published()

    def _named_version(self, request: HttpRequest, template: RoutineTemplate) -> RoutineTemplateVersion:
        number = request.GET.get("number", "")
        is_number = number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER
        rows = self._versions_of(template).with_steps()
        version: RoutineTemplateVersion | None = rows.filter(number=number).first() if is_number else None
        if version is None:
            raise Http404
        return version

    def _decide(
        self, request: HttpRequest, template: RoutineTemplate, act: Callable[[Client, str], Any], done: str
    ) -> HttpResponse:
        """Do it, log it, and go back to the routine; what is refused is said there."""
        self.require("change", request, template)
        try:
            with binding.atomic():
                act(template.client, request.user.get_username())
                self.log_change(request, template, done)
        except Refusal as refusal:
            words = [translated(each.message) for each in refusal.details] or [translated(refusal.message)]
            self.message_user(request, " ".join(words), messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:ai_training_routinetemplate_change", args=[template.pk]))

    def _show(self, request: HttpRequest, template: Any, page: str, **more: Any) -> HttpResponse:
        words, kind = self.state_of(template)
        context = self.context_of(
            request,
            title=title_of(template.shown_name),
            template=template,
            state_words=words,
            state_kind=kind,
            may_write=self._may_write(template),
            is_own=self.is_own(template),
            **self.standing_of(template),
            **more,
        )
        return TemplateResponse(request, f"{_FOLDER}/{page}", context)


def _outline(version: RoutineTemplateVersion) -> dict[str, Any]:
    outline = outline_of(version)
    return {
        "version": version,
        "description": title_of(version.description),
        "steps": [ShownStep.of(step) for step in outline.steps],
        "figures": [
            (gettext("Steps"), str(len(outline.steps))),
            (gettext("Repetitions"), str(outline.repetitions)),
            (gettext("By the clock"), spoken_time(outline.timed_seconds)),
            (gettext("Rest"), spoken_time(outline.rest_seconds)),
            (gettext("In all, about"), spoken_time(outline.estimated_seconds)),
        ],
        "seconds_a_repetition": SECONDS_A_REPETITION,
        "goal": goal_name(version.goal),
        "intensity": intensity_name(version.intensity),
        "tiers": tier_names(version.risk_tiers),
        "unnamed": ", ".join(outline.unnamed),
    }
