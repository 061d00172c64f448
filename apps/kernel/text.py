"""What of a text can PostgreSQL keep? Anything but NUL and lone surrogates."""


def storable(text: str, length: int) -> str:
    """The first `length` characters. For texts that may quote anything, such as errors; what people send is refused."""
    return text[:length].replace("\0", "").encode(errors="replace").decode()
