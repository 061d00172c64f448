"""demo has a figure here that begins at nothing: performers count in it what they did."""

import pytest

from apps.tenants.models import Client
from tests import make


@pytest.fixture
def demo(gofa: Client) -> Client:
    return make.make_client("demo", defer_limit=0)
