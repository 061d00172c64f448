"""Whose files does somebody name? A client's lessons and plans show its own files, or the library's."""

from collections.abc import Iterable

from apps.catalog.addresses import media_path
from apps.kernel.refusals import Detail
from apps.tenants.models import LIBRARY_CLIENT_ID, Client


def foreign_files(client: Client, addresses: Iterable[tuple[str, str]]) -> list[Detail]:
    """Of these paths in a body and the addresses there, those that are in another client's part of the media."""
    owners = {path: media_path(address).split("/")[0] for path, address in addresses}
    others = set(owners.values()) - {"", client.id, LIBRARY_CLIENT_ID}
    if not others:
        return []
    foreign = set(Client.objects.filter(pk__in=others).values_list("pk", flat=True))
    return [Detail(path, "There is no such file.") for path, owner in owners.items() if owner in foreign]
