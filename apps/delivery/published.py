"""Which manifest does a course version have? Compiled once in each process: a version never changes (contract 9)."""

from functools import lru_cache

from apps.delivery.manifest import Manifest, compile_manifest
from apps.delivery.models import PlayPackage

# Of the largest that can be published, all of them together would take some hundred megabytes.
_MOST_KEPT = 100


@lru_cache(maxsize=_MOST_KEPT)
def manifest_of(client_id: str, version_id: str) -> Manifest:
    """LookupError for a version without a package, or one that the client does not have: that may change any time."""
    package = PlayPackage.objects.for_client(client_id).filter(pk=version_id).first()
    if package is None:
        raise LookupError(version_id)
    return compile_manifest(package.manifest)
