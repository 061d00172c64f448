"""What platform staff see of the outbox: the events that were given up, which they can send again."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.events import relay
from apps.events.models import DeadLetter
from apps.tenants.scoped_admin import PlatformModelAdmin


@admin.register(DeadLetter)
class DeadLetterAdmin(PlatformModelAdmin):
    platform_may: ClassVar[frozenset[str]] = frozenset({"view"})
    list_display = ("id", "event_type", "subject_id", "owner", "created_at", "attempts", "last_error")
    list_filter = ("event_type", "client")
    search_fields = ("=id", "=subject_id")
    ordering = ("-id",)
    fields = ("id", "client", "event_type", "subject_id", "payload", "created_at", "attempts", "losses", "last_error")
    actions = ("send_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(state=DeadLetter.State.DEAD)

    @admin.action(description=_("Send again"), permissions=["view"])
    def send_again(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        sent = 0
        for letter in letters:
            try:
                relay.send_again(event_id=letter.pk)
            except relay.NotDead:
                continue  # somebody else was faster
            self.log_change(request, letter, gettext("Sent again."))
            sent += 1
        text = ngettext("%d event will be delivered again.", "%d events will be delivered again.", sent) % sent
        self.message_user(request, text, messages.SUCCESS)
