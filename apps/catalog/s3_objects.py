"""Where are the bytes of media kept at somebody else's, who speaks S3? Imported only where S3 is set up."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from typing import IO, Any, Literal, cast

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage

# A thread waits for the first byte at most so long; a reader of what follows has a thread of its own.
_CONNECT_SECONDS, _READ_SECONDS = 3, 10


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """A store that does not answer is to its callers what a disk is that does not."""
    try:
        yield
    except (Boto3Error, BotoCoreError, ClientError) as error:
        raise OSError(f"S3: {error}") from error


class S3Objects(S3Storage):  # type: ignore[misc] # it has no types
    """Objects of one bucket. An upload is there when it is complete, and not before."""

    def __init__(self, *, addressing_style: Literal["auto", "path", "virtual"], **options: Any) -> None:
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": 2, "mode": "standard"},
            s3={"addressing_style": addressing_style},
            # Many a store beside Amazon's knows no checksums that trail a body; what we read has one of our own.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        super().__init__(client_config=config, file_overwrite=True, default_acl=None, **options)

    def _save(self, name: str, content: "File[bytes]") -> str:
        with _as_os_errors():
            return cast(str, super()._save(name, content))

    def delete(self, name: str) -> None:
        with _as_os_errors():
            super().delete(name)

    def open_at(self, name: str, start: int, length: int) -> IO[bytes]:
        """A body that arrives as it is read. It begins at this byte and is at most `length` long."""
        if length == 0:
            return BytesIO()
        with _as_os_errors():
            answer = self.bucket.Object(name).get(Range=f"bytes={start}-{start + length - 1}")
        return cast("IO[bytes]", answer["Body"])

    def names_before(self, prefix: str, time: datetime) -> Iterator[str]:
        """What was written before that time."""
        with _as_os_errors():
            for each in self.bucket.objects.filter(Prefix=f"{prefix}/"):
                if each.last_modified < time:
                    yield each.key
