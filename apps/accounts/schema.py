"""How does the OpenAPI document describe our credentials? Loaded once the apps are ready."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from apps.accounts.authentication import SESSION_COOKIE

_SCHEMES: dict[str, dict[str, str]] = {
    "IdToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "End users, and staff."},
    "AdminToken": {"type": "apiKey", "in": "header", "name": "AdminToken", "description": "Staff."},
    "RevokableToken": {
        "type": "apiKey",
        "in": "header",
        "name": "RevokableToken",
        "description": "Integrations: they read lesson plays and lessons of their client.",
    },
    "Session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "The play pages; writes need a same-origin Origin and X-CSRF-Token.",
    },
}


class CredentialScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """One of the four: a list of single requirements means any one of them."""

    target_class = "apps.accounts.authentication.CredentialAuthentication"
    name = list(_SCHEMES)

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        return [{name: []} for name in _SCHEMES]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return list(_SCHEMES.values())
