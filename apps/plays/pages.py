"""The pages of a lesson play, for the one who plays it and nobody else (contract 10).

Whoever is not signed in as that person gets the same 404 for every id, whether or not it exists.
"""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from apps.accounts import authentication, browsers, links
from apps.api import html
from apps.plays.models import LessonPlay
from apps.plays.player import player_of, result_url
from apps.plays.result import result_of

PageOfPlay = Callable[[HttpRequest, LessonPlay, str], HttpResponse]


def for_its_player(show: PageOfPlay) -> Callable[..., HttpResponse]:
    """A page of the play that the address names, in the play's language, which `show` is told."""

    @wraps(show)
    def page(request: HttpRequest, play_id: str) -> HttpResponse:
        if links.carries_token(request):
            return links.follow(request)
        play = own_play(request, play_id)
        if play is None:
            return links.nothing_here(request)
        locale = play.locale or links.asked_locale(request) or play.user.locale or play.client.default_locale
        with translation.override(locale.lower()):
            return show(request, play, locale)

    # Whatever would write is a 405, before anybody asks for its CSRF token.
    return csrf_exempt(require_safe(page))


@for_its_player
def player(request: HttpRequest, play: LessonPlay, locale: str) -> HttpResponse:
    """`GET /move/lesson/play/{id}`: plays the lesson; a play that is over has only its result left."""
    if play.is_completed:
        return html.guarded(redirect(result_url(play)))
    csrf_token = authentication.csrf_token(request.COOKIES[authentication.SESSION_COOKIE])
    page = player_of(play, locale, csrf_token=csrf_token)
    return html.page(request, "plays/player.html", page.context, hosts=page.hosts)


@for_its_player
def result(request: HttpRequest, play: LessonPlay, locale: str) -> HttpResponse:
    """`GET /move/lesson/play/{id}/result`: what came of it, so far or in the end."""
    return html.page(request, "plays/result.html", result_of(play, locale))


def own_play(request: HttpRequest, play_id: str) -> LessonPlay | None:
    """The play, if it is that of the person whom the session cookie names."""
    person = browsers.person_of(request)
    if person is None or "\x00" in play_id:
        return None
    plays = LessonPlay.objects.visible_to(person).select_related("client", "user", "lesson")
    return plays.filter(pk=play_id).first()
