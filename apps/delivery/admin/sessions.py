"""What may staff see of play sessions? Their way and their history; and they may end one as failed (contract 9)."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.accounts.principal import Principal, Role
from apps.delivery.admin.asking import Question, ReasonForm, ask
from apps.delivery.admin.scoped import DeliveryAdmin, said
from apps.delivery.admin.shown import shown_mounts
from apps.delivery.admin.versions import version_name
from apps.delivery.manifest import placed_lessons
from apps.delivery.models import PlayPackage, PlaySession, SessionChange
from apps.delivery.services import sessions as services
from apps.kernel.clock import now
from apps.kernel.refusals import Refusal
from apps.tenants import binding

_MOST_CHANGES_SHOWN = 200


@admin.register(PlaySession)
class PlaySessionAdmin(DeliveryAdmin):
    client_may: ClassVar[frozenset[str]] = frozenset({"view", "fail"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view", "fail"})
    list_display = ("id", "user_id", "course", "state", "attempt_number", "last_activity_at", "owner")
    list_filter = ("state", ("started_at", admin.DateFieldListFilter))
    search_fields = ("id",)
    search_help_text = _("The ID of a play session, a user, an enrollment or a course version")
    sortable_by = ()
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("id", "client", "user_id", "course", "enrollment", "device")}),
        (_("Progress"), {"fields": ("state", "attempt_number", "version", "place", "done", "chosen", "reason")}),
        (_("Times"), {"fields": ("started_at", "last_activity_at", "ended_at")}),
    )
    readonly_fields = ("course", "place", "done", "chosen")
    change_form_template = "admin/delivery/playsession/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        fail = self.admin_site.admin_view(self.fail_view)
        return [path("<path:object_id>/fail/", fail, name="delivery_playsession_fail"), *super().get_urls()]

    # --- which rows ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("course_version__course", "device")
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        found = Q(pk=term) | Q(user_id=term) | Q(enrollment_id=term) | Q(course_version_id=term)
        return (queryset.filter(found) if term else queryset), False

    # --- one session ---

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        session = context["original"]
        changes = SessionChange.objects.for_client(session.client_id).filter(session=session).order_by("-version")
        shown = list(changes[: _MOST_CHANGES_SHOWN + 1])
        titles = titles_of(session)
        context["changes"] = [
            (change, titles.get(change.cursor.get("lessonId"), change.cursor.get("lessonId")))
            for change in shown[:_MOST_CHANGES_SHOWN]
        ]
        context["has_more_changes"] = len(shown) > _MOST_CHANGES_SHOWN
        context["mounts"] = shown_mounts(session.client_id, session=session)
        context["may_fail"] = not session.is_terminal and self.may("fail", session)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("course version"))
    def course(self, session: PlaySession) -> str:
        return version_name(session.course_version)

    @admin.display(description=_("place"))
    def place(self, session: PlaySession) -> str:
        titles = titles_of(session)
        where = {"number": session.sequence_index + 1, "lesson": titles.get(session.lesson_id, session.lesson_id)}
        return gettext("Lesson %(number)d: %(lesson)s") % where

    @admin.display(description=_("completed lessons"))
    def done(self, session: PlaySession) -> SafeString | str:
        titles = titles_of(session)
        rows = ((titles.get(each, each),) for each in session.completed_lessons)
        listed = format_html_join("", "<li>{}</li>", rows)
        return format_html('<ul class="gofa-done">{}</ul>', listed) if listed else gettext("None")

    @admin.display(description=_("choices"))
    def chosen(self, session: PlaySession) -> str:
        titles = titles_of(session)
        said_at = [f"{titles.get(fork, fork)}: {choice}" for fork, choice in session.choices.items()]
        return "; ".join(said_at) or gettext("None")

    # --- ending one ---

    def fail_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self.about(request, object_id, "fail", lambda session: self._fail_page(request, session))

    def _fail_page(self, request: HttpRequest, session: PlaySession) -> HttpResponseBase:
        if session.is_terminal:
            self.refuse(request, services.InvalidState(session.state))
            return self.page_of(session)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            return self._fail(request, session, form.cleaned_data["reason"])
        words = gettext(
            "The session of %(user)s ends as failed. They can begin another; this one cannot be taken up again."
        )
        question = Question(
            title=gettext("Fail this session?"),
            about=[words % {"user": session.user_id}],
            button=gettext("Fail this session"),
            back=self.page_of(session).url,
        )
        return ask(self, request, question, form=form, original=session)

    def _fail(self, request: HttpRequest, session: PlaySession, reason: str) -> HttpResponseBase:
        try:
            with binding.atomic():
                services.fail_session(
                    principal=principal_of(request, session.client_id),
                    client_id=session.client_id,
                    session_id=session.pk,
                    reason=reason,
                    now=now(),
                )
                self.log_change(request, session, "Failed.")
        except Refusal as refusal:
            self.refuse(request, refusal)
        else:
            self.message_user(request, gettext("The session has failed."), messages.SUCCESS)
        return self.page_of(session)


def titles_of(session: PlaySession) -> dict[str, str]:
    """Of the lessons of what is played, by id; read once for a row, which is asked for them several times."""
    kept = getattr(session, "_titles", None)
    if kept is None:
        packages = PlayPackage.objects.for_client(session.client_id).filter(pk=session.course_version_id)
        package = packages.first()
        lessons = placed_lessons(package.manifest) if package else []
        kept = {lesson["id"]: said(lesson.get("title") or {}) or lesson["id"] for _, lesson in lessons}
        session._titles = kept  # type: ignore[attr-defined]  # ours, on this one object
    return dict(kept)


def principal_of(request: HttpRequest, client_id: str) -> Principal:
    """Whoever is at the admin, as the services know them."""
    user = request.user
    role = Role.PLATFORM_ADMIN if isinstance(user, User) and user.is_platform else Role.CLIENT_ADMIN
    return Principal(role, client_id, user.get_username())
