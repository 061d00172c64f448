"""The cast: client `demo` with ada and ben (users) and cleo (administrator), client `acme` with dan and its
administrator, and root, of the platform's staff."""

from collections.abc import Callable, Generator, Iterator

import pytest
from django.conf import settings
from django.utils import translation

from apps.accounts import identity, key_sets, people
from apps.accounts.models import User
from apps.api import valkey
from apps.billing import terms
from apps.tenants import binding, registry
from apps.tenants.models import Client, EndUser
from tests import make
from tests.caller import Caller

# A password is meant to be slow to check; a test is not.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tests log texts that are no UTF-8; a worker of a parallel run could not send them to the main process."""
    report = yield
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """What a process remembers between requests must not cross from one test to the next."""
    registry.forget()
    terms.forget()
    identity.forget()
    key_sets.key_set.cache_clear()
    people.forget()
    valkey.forget_absence()
    valkey.client().flushdb()
    binding.unbind()
    # A page leaves the thread in its reader's language.
    translation.deactivate()
    yield
    binding.unbind()


@pytest.fixture
def gofa(db: None) -> Client:
    return make.make_client("gofa", name="GOFA")


@pytest.fixture
def demo(gofa: Client) -> Client:
    return make.make_client("demo", self_registration=True)


@pytest.fixture
def acme(gofa: Client) -> Client:
    return make.make_client("acme")


@pytest.fixture
def ada(demo: Client) -> EndUser:
    return make.make_user(demo, "ada", display_name="Ada Wong", email="ada@example.com")


@pytest.fixture
def ben(demo: Client) -> EndUser:
    return make.make_user(demo, "ben")


@pytest.fixture
def dan(acme: Client) -> EndUser:
    return make.make_user(acme, "dan")


@pytest.fixture
def cleo(demo: Client) -> User:
    return make.make_staff("cleo", demo)


@pytest.fixture
def eve(acme: Client) -> User:
    """acme's administrator."""
    return make.make_staff("eve", acme)


@pytest.fixture
def root(gofa: Client) -> User:
    return make.make_staff("root", is_platform=True)


@pytest.fixture
def as_() -> Callable[..., Caller]:
    """`as_(ada).post("/api/…", {…})`; staff speak by AdminToken."""
    return Caller.of


@pytest.fixture
def anonymous() -> Caller:
    return Caller({})
