"""What does a link with a custom token do? It signs in, once, and leads on to the same address without the token.

(contract 10) Nothing of the page is read before that: the token is gone from the address, and so from the browser's
history and from what other sites are told, before the page has a script.
"""

from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from apps.accounts import browsers, identity
from apps.api import html
from apps.kernel.localized import canonical_locale
from apps.kernel.refusals import Unauthorized

PARAMETER = "customToken"
SPENT = _("This link was used before, or it is too old. Please ask for a new one.")


def carries_token(request: HttpRequest) -> bool:
    return PARAMETER in request.GET


def follow(request: HttpRequest) -> HttpResponse:
    """Spend the token: 303 to where it was spent, all other parameters kept; a plain 404 for one that is no good."""
    query = request.GET.copy()
    token = query.pop(PARAMETER)[-1]
    try:
        # A link that is only looked at, by HEAD, stays good.
        person = browsers.sign_in(identity.read(token, "custom")) if request.method == "GET" else None
    except Unauthorized:
        person = None
    if person is None:
        return nothing_here(request, SPENT)
    address = quote(request.path) + (f"?{query.urlencode()}" if query else "")
    response = html.guarded(HttpResponseRedirect(address, status=303))
    browsers.remember(response, person, request=request)
    return response


def nothing_here(request: HttpRequest, message: html.Words = "") -> HttpResponse:
    """404, in the language that the address asks for, else the browser's."""
    with translation.override((asked_locale(request) or translation.get_language() or "en").lower()):
        return html.refusal(request, 404, message)


def asked_locale(request: HttpRequest) -> str | None:
    """`?locale=`, in any of its spellings; None when there is none that is spoken here."""
    return canonical_locale(request.GET.get("locale", ""))
