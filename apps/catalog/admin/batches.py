"""How do staff bring lessons in by a file? Upload, see what would change, confirm, watch, undo (contract 11)."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.catalog.admin import exports
from apps.catalog.admin.shown_rows import ShownRow, tallies_of
from apps.catalog.batches import files, reading, services
from apps.catalog.batches.columns import COLUMNS
from apps.catalog.models import BatchRow, LessonBatch
from apps.jobs.models import Job
from apps.kernel.clock import now
from apps.kernel.refusals import Refusal
from apps.kernel.sentences import translated
from apps.tenants import binding
from apps.tenants.models import Client
from apps.tenants.scoped_admin import TenantForm, TenantModelAdmin, reaches_all

_ROWS_A_PAGE = 50
_AT_WORK = (LessonBatch.State.APPLYING, LessonBatch.State.UNDOING)


class UploadForm(TenantForm):
    """One file, read before anything is stored; what is wrong with all of it is said beside the field."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV, XLSX or JSON, up to 10 MiB and 5,000 lessons. Nothing is changed before you confirm it."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx,.json"}),
    )

    class Meta:
        model = LessonBatch
        fields = ("client",)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        file, client = self.cleaned_data.get("file"), self.whose()
        self.rows: list[BatchRow] = []
        if file is not None and client is not None:
            try:
                self.rows = reading.preview(client, files.read(file.name, file))
            except files.WrongFile as refusal:
                self.add_error("file", gettext(refusal.template) % refusal.values)
            except Refusal as refusal:
                self.add_error("file", translated(refusal.message))
        return cleaned

    def whose(self) -> Client | None:
        chosen: Client | None = self.cleaned_data.get("client")
        return chosen if reaches_all() else Client.objects.get(pk=binding.bound_client())


@admin.register(LessonBatch)
class LessonBatchAdmin(TenantModelAdmin):
    form = UploadForm
    client_may: ClassVar[frozenset[str]] = frozenset({"view", "add"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view", "add"})
    list_display = ("file_name", "state", "row_count", "author", "created_at", "owner")
    list_filter = ("state", "client")
    search_fields = ("file_name",)
    ordering = ("-id",)
    sortable_by = ()
    fieldsets = ((None, {"fields": ("client", "file")}),)
    change_list_template = "admin/catalog/lessonbatch/change_list.html"
    add_form_template = "admin/catalog/lessonbatch/upload.html"

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, Callable[..., HttpResponseBase], str]] = [
            ("export/", self.export_view, "export"),
            ("<path:object_id>/progress/", self.progress_view, "progress"),
            ("<path:object_id>/confirm/", self.confirm_view, "confirm"),
            ("<path:object_id>/undo/", self.undo_view, "undo"),
            ("<path:object_id>/resume/", self.resume_view, "resume"),
        ]
        own = [
            path(address, self.admin_site.admin_view(view), name=f"catalog_lessonbatch_{name}")
            for address, view, name in pages
        ]
        return own + super().get_urls()

    # --- upload ---

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        return super().add_view(
            request, form_url, {**(extra_context or {}), "title": gettext("Import lessons"), "columns": COLUMNS}
        )

    def save_row(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:
        name, author = form.cleaned_data["file"].name, request.user.get_username()
        batch = services.open_batch(client=form.whose(), file_name=name, rows=form.rows, author=author, now=now())
        row.pk, row.file_name = batch.pk, batch.file_name

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> Any:
        return self._to(obj)

    # --- one batch ---

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        return self._about(request, object_id, self._show)

    def _about(
        self,
        request: HttpRequest,
        object_id: str,
        answer: Callable[[HttpRequest, LessonBatch], HttpResponseBase],
    ) -> HttpResponseBase:
        """The answer about this batch; one that is not there, or another client's, is answered as by every page."""
        batch = self.get_object(request, unquote(object_id))
        if batch is None:
            missing: HttpResponseBase = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
            return missing
        if not self.has_view_permission(request, batch):
            raise PermissionDenied
        return answer(request, batch)

    def _show(self, request: HttpRequest, batch: LessonBatch) -> HttpResponseBase:
        shown = request.GET.get("show", "")
        tallies = tallies_of(batch, shown)
        rows = batch.rows.order_by("number")
        if shown in BatchRow.Outcome:
            rows = rows.filter(outcome=shown)
        elif shown in BatchRow.Result:
            rows = rows.filter(result=shown) if shown else rows
        page = Paginator(rows, _ROWS_A_PAGE).get_page(request.GET.get("p"))
        count = {tally.key: tally.count for tally in tallies}
        context = {
            **self._context(request, batch, str(batch)),
            "tallies": tallies,
            "shown": shown,
            "page": page,
            "pages": page.paginator.get_elided_page_range(page.number),
            "rows": [ShownRow.of(row) for row in page],
            "to_import": count["new"] + count["changed"],
            "job": self._job(batch),
        }
        return TemplateResponse(request, "admin/catalog/lessonbatch/batch.html", context)

    def _context(self, request: HttpRequest, batch: LessonBatch, title: Any) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "batch": batch,
            "object": batch,
            "original": batch,
            "is_at_work": batch.state in _AT_WORK,
            "may_change": self.has_add_permission(request),
        }

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        def progress(request: HttpRequest, batch: LessonBatch) -> HttpResponseBase:
            job = self._job(batch)
            return JsonResponse(
                {
                    "state": batch.state,
                    "isAtWork": batch.state in _AT_WORK and (job is None or job.state != Job.State.FAILED),
                    "done": job.done if job else 0,
                    "total": job.total if job else None,
                }
            )

        return self._about(request, object_id, progress)

    @staticmethod
    def _job(batch: LessonBatch) -> Job | None:
        return Job.objects.for_client(batch.client_id).filter(pk=batch.job_id).first() if batch.job_id else None

    # --- what is done with it ---

    def confirm_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        def confirm(request: HttpRequest, batch: LessonBatch) -> HttpResponseBase:
            if request.method != "POST":
                return self._to(batch)
            force, author = request.POST.get("force") == "on", request.user.get_username()
            return self._did(
                request,
                batch,
                lambda: services.confirm_batch(batch_id=batch.pk, force=force, author=author, now=now()),
                "Import confirmed; plans in the way are turned off." if force else "Import confirmed.",
            )

        return self._about(request, object_id, confirm)

    def undo_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        def undo(request: HttpRequest, batch: LessonBatch) -> HttpResponseBase:
            if request.method != "POST":
                if batch.state != LessonBatch.State.APPLIED:
                    return self._to(batch)
                context = self._context(request, batch, gettext("Undo this import?"))
                context["count"] = batch.rows.filter(result=BatchRow.Result.APPLIED).count()
                return TemplateResponse(request, "admin/catalog/lessonbatch/undo.html", context)
            author = request.user.get_username()
            return self._did(
                request,
                batch,
                lambda: services.undo_batch(batch_id=batch.pk, author=author, now=now()),
                "Undo requested.",
            )

        return self._about(request, object_id, undo)

    def resume_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        def resume(request: HttpRequest, batch: LessonBatch) -> HttpResponseBase:
            if request.method != "POST":
                return self._to(batch)
            return self._did(request, batch, lambda: services.resume_batch(batch_id=batch.pk), "To be gone on with.")

        return self._about(request, object_id, resume)

    def _did(self, request: HttpRequest, batch: LessonBatch, do: Callable[[], object], logged: str) -> HttpResponseBase:
        """Do it, and write it into the audit log, or say why not; the page of the batch shows what becomes of it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        try:
            with binding.atomic():
                do()
                self.log_change(request, batch, logged)
        except Refusal as refusal:
            self.message_user(request, translated(refusal.message), messages.ERROR)
        return self._to(batch)

    def _to(self, batch: LessonBatch) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:catalog_lessonbatch_change", args=[batch.pk]))

    # --- export ---

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        form = exports.ExportForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                return exports.answer(request, form.whose, form.cleaned_data["kind"])
            except Refusal as refusal:
                form.add_error("kind", translated(refusal.message))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Export lessons"),
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/catalog/lessonbatch/export.html", context)
