"""Who calls the platform dialect: everybody with their tenant's header, and every write with a key of its own."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.kernel.ids import new_id
from apps.tenants import registry
from apps.tenants.models import Client, EndUser
from tests.caller import Caller


class PlatformCaller(Caller):
    """A Caller whose headers may be overridden one by one; an empty value leaves one out."""

    tenant = "demo"

    def call(self, method: str, path: str, body: Any, query: dict[str, Any] | None, headers: dict[str, str]) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        usual = {"X-Tenant-Id": self.tenant}
        if method not in ("GET", "HEAD"):
            usual["Idempotency-Key"] = new_id("")
        sent = {name: value for name, value in {**usual, **given}.items() if value}
        return super().call(method, path, body, query, sent)


@pytest.fixture
def via(demo: Client, acme: Client) -> Callable[..., PlatformCaller]:
    """`via(ada).post("/api/v1/…", {…})`; `via(root, "acme")` names another tenant. Both clients have the module."""
    Client.objects.filter(pk__in=["demo", "acme"]).update(modules=["delivery"])
    registry.forget()

    def caller(who: EndUser | User, tenant: str = "") -> PlatformCaller:
        made = PlatformCaller.of(who)
        assert isinstance(made, PlatformCaller)
        made.tenant = tenant or (who.client_id if isinstance(who, EndUser) else "demo")
        return made

    return caller
