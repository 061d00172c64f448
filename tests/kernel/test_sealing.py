"""What is sealed is read with the key of its purpose alone, and still after SECRET_KEY was changed."""

import pytest
from cryptography.fernet import InvalidToken
from pytest_django.fixtures import Settings

from apps.kernel.sealing import seal, unseal


def test_what_is_sealed_says_nothing_and_is_read_again() -> None:
    sealed = seal("whsec_secret", purpose="webhook")
    assert "secret" not in sealed
    assert sealed != seal("whsec_secret", purpose="webhook")
    assert unseal(sealed, purpose="webhook") == "whsec_secret"


def test_another_purpose_or_a_changed_text_opens_nothing() -> None:
    sealed = seal("whsec_secret", purpose="webhook")
    with pytest.raises(InvalidToken):
        unseal(sealed, purpose="other")
    with pytest.raises(InvalidToken):
        unseal(sealed[:-3] + "AA=", purpose="webhook")


def test_an_older_key_opens_as_long_as_it_stands_among_the_fallbacks(settings: Settings) -> None:
    sealed, old = seal("whsec_secret", purpose="webhook"), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [old]
    assert unseal(sealed, purpose="webhook") == "whsec_secret"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(InvalidToken):
        unseal(sealed, purpose="webhook")
