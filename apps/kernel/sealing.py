"""How is a secret kept that has to be read again, to sign with? Sealed with a key that is not in the database.

The key comes from SECRET_KEY, a different one for each purpose; what an older SECRET_KEY has sealed is still opened
while that stands among SECRET_KEY_FALLBACKS.
"""

import base64

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes


def seal(text: str, *, purpose: str) -> str:
    return _box(purpose).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str, *, purpose: str) -> str:
    """What `seal` was given. Raises `cryptography.fernet.InvalidToken` for anything else."""
    return _box(purpose).decrypt(sealed.encode("ascii")).decode()


def _box(purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(_key(each, purpose)) for each in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str | bytes, purpose: str) -> bytes:
    info = f"seal.{purpose}".encode()
    derived = HKDF(hashes.SHA256(), length=32, salt=None, info=info).derive(force_bytes(secret))
    return base64.urlsafe_b64encode(derived)
