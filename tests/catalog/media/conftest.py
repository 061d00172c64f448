"""Both stores: files in a folder of the test's own, and a bucket of a server that speaks S3 over HTTP."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.files.storage import default_storage
from moto.server import ThreadedMotoServer

from apps.catalog.models import MediaFile
from apps.tenants.models import Client
from tests import make

BUCKET = "gofa-media"
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"}
Store = Callable[..., MediaFile]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


@pytest.fixture
def bucket(settings: Any, s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Empty, and the default storage."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    options = {"bucket_name": BUCKET, "endpoint_url": s3_server, "region_name": "us-east-1", "addressing_style": "path"}
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "apps.catalog.s3_objects.S3Objects", "OPTIONS": options},
    }
    made = boto3.resource("s3", endpoint_url=s3_server, region_name="us-east-1").Bucket(BUCKET)
    made.create()
    made.objects.all().delete()
    return made


@pytest.fixture(params=["local", "s3"])
def where(request: pytest.FixtureRequest) -> str:
    """Each test that asks for this, or for `store`, is run over both."""
    request.getfixturevalue("folder" if request.param == "local" else "bucket")
    return str(request.param)


@pytest.fixture
def store(where: str) -> Store:
    return keep


def keep(
    path: str = "demo/posters/one.jpg", content: bytes = b"0123456789", content_type: str = "image/jpeg"
) -> MediaFile:
    return make.make_media(Client(id=path.split("/", maxsplit=1)[0]), path, content, content_type)


def kept_keys() -> set[str]:
    """What is in the store, whole or not."""
    storage: Any = default_storage
    if hasattr(storage, "bucket"):
        return {each.key for each in storage.bucket.objects.all()}
    root = Path(storage.location)
    return {str((Path(at) / file).relative_to(root)) for at, _, files in os.walk(root) for file in files}


def body_of(response: Any) -> bytes:
    """What was sent, whether a piece at a time or at once. Django's test client ends the request after the last."""
    return b"".join(response.streaming_content) if response.streaming else bytes(response.content)
