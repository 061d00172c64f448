"""The admin's pages that are about no table: for whom somebody acts, and their second factor."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts.models import User
from apps.backoffice import acting, second_factor
from apps.tenants.models import Client


@require_POST
def act_for(request: HttpRequest) -> HttpResponse:
    """`client`: act for that one from now on; without it, platform staff return to all of them."""
    current = acting.acting_of(request)
    if current is None:
        raise PermissionDenied
    wanted = request.POST.get("client", "")
    client = Client.objects.active().filter(pk=wanted).first() if wanted else None
    if wanted and (client is None or not current.may_act_for(client)):
        raise Http404
    acting.choose(request, current, client)
    return HttpResponseRedirect(reverse("admin:index"))


def set_up_second_factor(request: HttpRequest) -> HttpResponse:
    """Set one up, or take it away; either needs a code, so that a session left open is not enough."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    device = second_factor.device_of(user)
    if request.method == "POST":
        code = request.POST.get("code", "")
        done = _removed(user, code) if device else second_factor.confirm(request, user, code)
        if done:
            messages.success(request, _("The second factor was removed.") if device else _("The second factor is on."))
            return HttpResponseRedirect(reverse("admin:second_factor"))
        messages.error(request, _("That code is not right, or was used before."))
    context: dict[str, Any] = {**admin.site.each_context(request), "title": _("Second factor"), "device": device}
    if device is None:
        pending = second_factor.pending_device(user)
        # Our own drawing of our own secret: nothing in it comes from a caller.
        context["picture"] = mark_safe(second_factor.picture(pending))  # noqa: S308
        context["secret"] = second_factor.secret(pending)
    return TemplateResponse(request, "admin/second_factor.html", context)


def _removed(user: User, code: str) -> bool:
    device = second_factor.device_of(user)
    if device is None or not second_factor.verify(device, code):
        return False
    second_factor.remove(user)
    return True
