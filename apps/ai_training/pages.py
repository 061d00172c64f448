"""The page of a routine run, for the one whose run it is and nobody else (contract 8, 10).

Whoever is not signed in as that person gets the same 404 for every id, whether or not it exists; so does everybody of
a client that does not have the module.
"""

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from apps.accounts import authentication, browsers, links
from apps.ai_training.models import RoutineRun
from apps.ai_training.player import player_of
from apps.ai_training.summary import summary_of
from apps.ai_training.views.asking import MODULE
from apps.api import html
from apps.kernel.clock import now


# Whatever would write is a 405, before anybody asks for its CSRF token.
@csrf_exempt
@require_safe
def play(request: HttpRequest, run_id: str) -> HttpResponse:
    """`GET /ai-training/routine-run/{id}/play`: the routine, step by step; a run that is over has its summary left."""
    if links.carries_token(request):
        return links.follow(request)
    run = own_run(request, run_id)
    if run is None:
        return links.nothing_here(request)
    locale = links.asked_locale(request) or run.user.locale or run.client.default_locale
    with translation.override(locale.lower()):
        if not run.is_open:
            return html.page(request, "ai_training/summary.html", summary_of(run, locale, now=now()))
        csrf_token = authentication.csrf_token(request.COOKIES[authentication.SESSION_COOKIE])
        return html.page(request, "ai_training/routine.html", player_of(run, locale, csrf_token=csrf_token))


def own_run(request: HttpRequest, run_id: str) -> RoutineRun | None:
    """The run, whole, if it is that of the person whom the session cookie names, and their client has the module."""
    person = browsers.person_of(request)
    if person is None or "\x00" in run_id:
        return None
    run = RoutineRun.objects.visible_to(person).whole().select_related("client").filter(pk=run_id).first()
    return run if run is not None and MODULE in run.client.modules else None
