"""Who are the demo's staff, and with which password do they sign in? (contract 13)"""

import secrets

from django.conf import settings

from apps.ops import engines

USERNAMES = ("platform", "demo-admin", "acme-admin")


def password() -> str:
    """The same for all three: GOFA_DEMO_PASSWORD, else a random one that the data folder keeps."""
    return settings.DEMO_PASSWORD or engines.kept(
        settings.DATA_DIR, "secrets/demo-password", lambda: secrets.token_urlsafe(12)
    )
