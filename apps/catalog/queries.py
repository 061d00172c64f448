"""Has the catalogue changed, and for whom is it asked? The one statement of a conditional read."""

from dataclasses import dataclass

from django.db import connection

from apps.tenants.models import LIBRARY_CLIENT_ID

# The numbers of the last change of the client's own catalogue and of the library's; 0: never changed.
Versions = tuple[int, int]

_READING = """
SELECT (SELECT version FROM catalog_catalogversion WHERE client_id = %s),
       (SELECT version FROM catalog_catalogversion WHERE client_id = %s),
       (SELECT membership_tier FROM tenants_enduser WHERE client_id = %s AND uid = %s)
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """Where the catalogue stands, and the membership tier of the person who asks, if they are one."""

    versions: Versions
    tier: str | None


def read_catalog(client_id: str, uid: str | None = None) -> Reading:
    with connection.cursor() as cursor:
        cursor.execute(_READING, [client_id, LIBRARY_CLIENT_ID, client_id, uid])
        own, library, tier = cursor.fetchone() or (0, 0, None)
    return Reading((own or 0, library or 0), tier)
