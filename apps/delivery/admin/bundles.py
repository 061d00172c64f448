"""What may staff do with bundles? Have them built, download, license and revoke them (contract 9, 11, 12)."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.catalog.views.answers import FileAnswer
from apps.delivery.admin import issuing
from apps.delivery.admin.asking import Question, ReasonForm, ask
from apps.delivery.admin.filters import RevokedFilter
from apps.delivery.admin.scoped import DeliveryAdmin
from apps.delivery.admin.sessions import principal_of
from apps.delivery.admin.shown import shown_licenses, shown_mounts
from apps.delivery.admin.versions import CourseOfVersionFilter, OfVersionForm, version_name
from apps.delivery.bundling import CONTENT_TYPE
from apps.delivery.models import Bundle, CourseVersion
from apps.delivery.services import bundles as services
from apps.delivery.services.licensing import find_download
from apps.delivery.services.revoking import BundleRevoked, held_bundle, revoke_bundle
from apps.kernel.clock import now
from apps.kernel.refusals import Refusal
from apps.kernel.sentences import translated
from apps.tenants import binding
from apps.tenants.scoped_admin import reaches_all

_MOST_REVOKED = 200
_VERBS: frozenset[str] = frozenset({"view", "add", "build", "revoke", "license"})


class BundleForm(OfVersionForm):
    class Meta:
        model = Bundle
        fields = ("client", "course_version")

    def offered(self, versions: QuerySet[CourseVersion]) -> QuerySet[CourseVersion]:
        """Without a package there is nothing to take along."""
        return versions.filter(package__isnull=False)


@admin.register(Bundle)
class BundleAdmin(DeliveryAdmin):
    form = BundleForm
    client_may: ClassVar[frozenset[str]] = _VERBS
    platform_may: ClassVar[frozenset[str]] = _VERBS
    list_display = ("course", "status", "file_size", "created_at", "revoked", "id", "owner")
    list_filter = ("status", RevokedFilter, CourseOfVersionFilter, ("created_at", admin.DateFieldListFilter))
    search_fields = ("id",)
    search_help_text = _("The ID of a bundle or a course version, or a checksum")
    sortable_by = ()
    ordering = ("-id",)
    actions = ("revoke", "build")
    fieldsets = ((None, {"fields": ("client", "course_version")}),)
    readonly_fields = ("course", "file_size", "trouble", "revoked", "revoked_by", "why_revoked")
    change_form_template = "admin/delivery/bundle/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        own = (
            ("build", self.build_view),
            ("download", self.download_view),
            ("license", self.license_view),
            ("revoke", self.revoke_view),
        )
        return [
            path(f"<path:object_id>/{verb}/", self.admin_site.admin_view(view), name=f"delivery_bundle_{verb}")
            for verb, view in own
        ] + super().get_urls()

    # --- which rows ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("course_version__course", "revocation")
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        found = Q(pk=term) | Q(course_version_id=term) | Q(checksum=term)
        return (queryset.filter(found) if term else queryset), False

    @admin.display(description=_("course version"))
    def course(self, bundle: Bundle) -> str:
        return version_name(bundle.course_version)

    @admin.display(description=_("size"))
    def file_size(self, bundle: Bundle) -> str:
        return filesizeformat(bundle.size) if bundle.size is not None else "—"

    @admin.display(description=_("problem"))
    def trouble(self, bundle: Bundle) -> str:
        """Kept in English, and translated for whoever reads it."""
        return translated(bundle.problem)

    @admin.display(description=_("revoked at"))
    def revoked(self, bundle: Bundle) -> Any:
        return bundle.revoked_at

    @admin.display(description=_("revoked by"))
    def revoked_by(self, bundle: Bundle) -> str:
        return bundle.revocation.revoked_by

    @admin.display(description=_("reason"))
    def why_revoked(self, bundle: Bundle) -> str:
        return bundle.revocation.reason

    # --- one bundle ---

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request)
        whose, problem = ("client",) if reaches_all() else (), ("trouble",) if obj.problem else ()
        shown = [
            (None, {"fields": ("id", *whose, "course", "status", *problem)}),
            (_("File"), {"fields": ("file_size", "checksum", "created_at", "created_by", "finished_at")}),
        ]
        if obj.revoked_at is not None:
            words = pgettext_lazy("of a bundle", "Revocation")
            shown.append((words, {"fields": ("revoked", "revoked_by", "why_revoked")}))
        return shown

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        bundle = context.get("original")
        if bundle is not None:
            context["licenses"] = shown_licenses(bundle.client_id, bundle=bundle)
            context["mounts"] = shown_mounts(bundle.client_id, bundle=bundle)
            context["all_of_it"] = f"bundle={bundle.pk}"
            context["can"] = self._open_ways(bundle)
        return super().render_change_form(request, context, *args, **kwargs)

    def _open_ways(self, bundle: Bundle) -> dict[str, bool]:
        """What can be done with it as it is now, by whoever looks at it."""
        is_good, has_failed = bundle.revoked_at is None, bundle.status == Bundle.Status.FAILED
        return {
            "download": is_good and bundle.is_ready,
            "license": is_good and not has_failed and self.may("license", bundle),
            "build": has_failed and self.may("build", bundle),
            "revoke": is_good and self.may("revoke", bundle),
        }

    def save_row(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:
        bundle = services.create_bundle(
            client_id=row.client_id,
            course_version_id=row.course_version_id,
            author=request.user.get_username(),
            now=now(),
        )
        row.pk = bundle.pk

    def license_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self.about(request, object_id, "license", lambda bundle: issuing.page(self, request, bundle))

    # --- its file ---

    def download_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self.about(request, object_id, "view", lambda bundle: self._download(request, bundle))

    def _download(self, request: HttpRequest, bundle: Bundle) -> HttpResponseBase:
        try:
            found = find_download(
                principal=principal_of(request, bundle.client_id),
                client_id=bundle.client_id,
                bundle_id=bundle.pk,
                now=now(),
            )
            size = found.size or 0
            file = services.open_at(found, 0, size)
        except Refusal as refusal:
            self.refuse(request, refusal)
            return self.page_of(bundle)
        answer = FileAnswer(file, as_attachment=True, filename=f"{bundle.pk}.zip", content_type=CONTENT_TYPE)
        answer["Content-Length"] = str(size)
        return answer

    # --- building it again ---

    def has_build_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may("build", obj)

    def build_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self.about(request, object_id, "build", lambda bundle: self._build(request, bundle))

    def _build(self, request: HttpRequest, bundle: Bundle) -> HttpResponseBase:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if self._built_again(request, bundle):
            self.message_user(request, gettext("The bundle is being built again."), messages.SUCCESS)
        return self.page_of(bundle)

    @admin.action(description=_("Build these bundles again"), permissions=["build"])
    def build(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        failed = queryset.filter(status=Bundle.Status.FAILED).order_by("client_id", "pk")
        count = sum(self._built_again(request, bundle) for bundle in failed)
        text = ngettext("%(count)d bundle is being built again.", "%(count)d bundles are being built again.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS if count else messages.WARNING)

    def _built_again(self, request: HttpRequest, bundle: Bundle) -> bool:
        try:
            with binding.atomic():
                services.rebuild_bundle(client_id=bundle.client_id, bundle_id=bundle.pk, now=now())
                self.log_change(request, bundle, "Built again.")
        except Refusal as refusal:
            self.refuse(request, refusal)
            return False
        return True

    # --- revoking ---

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may("revoke", obj)

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self.about(request, object_id, "revoke", lambda bundle: self._revoke_one(request, bundle))

    def _revoke_one(self, request: HttpRequest, bundle: Bundle) -> HttpResponseBase:
        back = self.page_of(bundle)
        if bundle.revoked_at is not None:
            self.refuse(request, BundleRevoked())
            return back
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            self._revoke(request, Bundle.objects.filter(pk=bundle.pk), form.cleaned_data["reason"])
            return back
        return ask(self, request, _revocation([bundle], back=back.url), form=form, original=bundle)

    @admin.action(description=_("Revoke these bundles"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase | None:
        """Asked first. What is revoked is what the question named, whatever else the list shows by then."""
        chosen = list(queryset.filter(revocation__isnull=True).order_by("client_id", "pk")[: _MOST_REVOKED + 1])
        if not chosen:
            self.message_user(request, gettext("There is nothing to revoke."), messages.WARNING)
            return None
        if len(chosen) > _MOST_REVOKED:
            text = gettext("At most %(count)d bundles can be revoked at once.") % {"count": _MOST_REVOKED}
            self.message_user(request, text, messages.ERROR)
            return None
        form = ReasonForm(request.POST if "_do" in request.POST else None)
        if form.is_valid():
            self._revoke(request, queryset, form.cleaned_data["reason"])
            return HttpResponseRedirect(request.path)
        named = [(ACTION_CHECKBOX_NAME, bundle.pk) for bundle in chosen]
        hidden = [("action", "revoke"), ("index", "0"), *named]
        return ask(self, request, _revocation(chosen, back=request.path, hidden=hidden), form=form)

    def _revoke(self, request: HttpRequest, chosen: QuerySet[Any], reason: str) -> None:
        moment, author = now(), request.user.get_username()

        def change(client_id: str, ids: list[str]) -> list[Bundle]:
            held = [held_bundle(client_id, pk) for pk in ids]
            # Who was quicker has written down why.
            live = [bundle for bundle in held if bundle.revoked_at is None]
            for bundle in live:
                revoke_bundle(client_id=client_id, bundle_id=bundle.pk, reason=reason, author=author, now=moment)
            return live

        self.change_all(request, chosen, change, "Revoked.")


def _revocation(chosen: list[Bundle], **more: Any) -> Question:
    words = gettext("Nobody downloads, mounts or resumes with a revoked bundle any more. This cannot be taken back.")
    return Question(
        title=ngettext("Revoke this bundle?", "Revoke these bundles?", len(chosen)),
        about=[words],
        button=ngettext("Revoke %(count)d bundle", "Revoke %(count)d bundles", len(chosen)) % {"count": len(chosen)},
        rows=[f"{version_name(bundle.course_version)} · {bundle.pk}" for bundle in chosen],
        **more,
    )
