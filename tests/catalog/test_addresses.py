"""Absolute http(s), or our own media (contract 4)."""

import pytest

from apps.catalog.addresses import is_address, media_path, unsigned


@pytest.mark.parametrize(
    "text",
    [
        "https://cdn.example.com/lesson.jpg",
        "http://localhost:9000/a.mp4?x=1#t=2",
        "HTTPS://CDN.EXAMPLE.COM",
        "https://[2001:db8::1]/a.vtt",
        "https://例え.jp/日本.vtt",
        "https://cdn.example.com/a%20b.jpg",
        "/api/media/demo/lesson_1/en.vtt",
        "/api/media/en.vtt?sig=x&exp=1",
    ],
)
def test_an_address(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lesson.jpg",
        "/lesson.jpg",
        "//cdn.example.com/lesson.jpg",
        "ftp://cdn.example.com/a",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https:",
        "https://",
        "https:///a.jpg",
        "https:/cdn.example.com",
        "https:cdn.example.com",
        "https://cdn.example.com:99999/",
        "https://cdn.example.com:0/",
        "https://[::1/",
        "https://user@cdn.example.com/",
        "https://user:pass@cdn.example.com/",
        "https://cdn.example.com\\@evil.example/",
        " https://cdn.example.com/",
        "https://cdn.example.com/\n",
        "https://cdn.example.com/a b",
        "java\tscript:alert(1)",
        "https://cdn.example.com/\u0085",
        'https://cdn.example.com/"onload=',
        "https://cdn.example.com/<script>",
        "/api/media/",
        "/api/media",
        "/api/media/../secrets",
        "/api/media/a/../../b",
        "/api/media/./a",
        "/api/media//a",
        "/api/media/%2e%2e/a",
        "/api/media/a%2f..%2fb",
        "/api/media/..%5ca",
        "/API/media/a",
    ],
)
def test_no_address(text: str) -> None:
    assert not is_address(text)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("/api/media/demo/a.jpg", "/api/media/demo/a.jpg"),
        ("/api/media/demo/a.jpg?sig=x&exp=1", "/api/media/demo/a.jpg"),
        ("/api/media/demo/a.jpg?v=2&sig=x&exp=1#t=3", "/api/media/demo/a.jpg?v=2#t=3"),
        ("/api/media/demo/a.jpg?sig=x&sig=y&signature=z", "/api/media/demo/a.jpg?signature=z"),
        ("https://cdn.example.com/a.jpg?sig=x&exp=1", "https://cdn.example.com/a.jpg?sig=x&exp=1"),
    ],
)
def test_only_our_own_signature_is_taken_off(address: str, kept: str) -> None:
    assert unsigned(address) == kept


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/api/media/demo/a.jpg?sig=x#t", "demo/a.jpg"),
        ("/api/media/%64emo/a.jpg", "demo/a.jpg"),
        ("https://cdn.example.com/api/media/demo/a.jpg", ""),
    ],
)
def test_the_path_of_a_file_of_ours(address: str, path: str) -> None:
    assert media_path(address) == path
