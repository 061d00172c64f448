"""The stage, and who acts on it."""

import contextlib
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.load import Load
from tests.faults.stage import SEED, Stage, Valkey
from tests.ops.running import Product


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All in one process of a parallel run: they share one stage, and one product is load enough."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("faults"))


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    # Not pytest's folder: PostgreSQL's own user could not pass its parents.
    with tempfile.TemporaryDirectory(prefix="gofa-faults-") as name, contextlib.ExitStack() as stack:
        valkey = Valkey(Path(name) / "broker")
        stack.callback(valkey.stop)
        valkey.start()
        product = Product(Path(name) / "data", REDIS_URL=valkey.url, WEB_WORKERS="2")
        stack.callback(product.stop)
        yield Stage(product, valkey)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """What a test leaves to chance."""
    print(f"FAULTS_SEED={SEED}")
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture
def load(stage: Stage, rng: random.Random, request: pytest.FixtureRequest) -> Load:
    """`with load:` keeps the product busy."""
    return Load(request.node.name, stage.product.port, stage.next_payers(), rng)
