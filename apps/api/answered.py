"""Who wants to know which calls were answered? Rooms above say so when they are ready; this one knows none of them.

An observer is called by the request itself, so it must take microseconds and may not fail.
"""

from collections.abc import Callable

Observer = Callable[[str, str, str], None]

_observers: list[Observer] = []


def observe(observer: Observer) -> None:
    """From now on it is called with the client, the method and the route (as in `ResolverMatch.route`)."""
    if observer not in _observers:
        _observers.append(observer)


def tell(client_id: str, method: str, route: str) -> None:
    for observer in _observers:
        observer(client_id, method, route)
