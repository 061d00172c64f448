"""A play ends where the client allows it, and nowhere that only looks like it (quality.md, fact 8)."""

import pytest

from apps.plays.return_urls import followable, is_allowed, is_web_address

HOSTS = ["app.example.com", "Partner.Example.org", "localhost:3000", "[2001:db8::1]", "secure.example.com:443"]


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.com",
        "https://app.example.com/",
        "http://app.example.com/done?play=1#end",
        "HTTPS://APP.EXAMPLE.COM/Done",
        "https://app.example.com:443/done",
        "http://app.example.com:80/done",
        "https://partner.example.org?next=//evil.example",
        "https://app.example.com#@evil.example",
        "https://app.example.com/https://evil.example/",
        "https://app.example.com/a%20b%5Cc",
        "https://app.example.com/熱身",
        "http://localhost:3000/result",
        "https://secure.example.com/",
        "https://secure.example.com:443/",
        "https://[2001:DB8::1]/result",
    ],
)
def test_an_address_on_a_listed_host_is_allowed(url: str) -> None:
    assert is_allowed(url, HOSTS)


ELSEWHERE = [
    "https://evil.example",
    "https://evil.example/app.example.com",
    "https://evil.example?app.example.com",
    "https://evil.example#app.example.com",
    "https://sub.app.example.com",
    "https://example.com",
    "https://app.example.com.evil.example",
    "https://app.example.com.",
    "https://app.example.comevil.example",
    "https://evilapp.example.com",
    "https://app-example.com",
    "https://app.example.com:8443/",
    "https://app.example.com:80/",
    "http://app.example.com:443/",
    "http://localhost/",
    "http://localhost:3001/",
    "http://secure.example.com/",
    "https://127.0.0.1/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://[::1]/",
    "https://xn--app-example-com.evil.example/",
]
MALFORMED = [
    "",
    " ",
    "app.example.com",
    "/result",
    "//app.example.com/",
    "///app.example.com/",
    "/\\app.example.com/",
    "\\\\app.example.com\\",
    "https:app.example.com",
    "https:/app.example.com",
    "https:///app.example.com",
    "https:////app.example.com",
    "https:\\\\app.example.com",
    "https:/\\app.example.com",
    "https://\\app.example.com",
    "https://",
    "https:///",
    "https://?app.example.com",
    "https://#app.example.com",
    "https://app.example.com\\@evil.example/",
    "https://evil.example\\@app.example.com/",
    "https://evil.example\\.app.example.com/",
    "https://app.example.com/\\evil.example",
    "https://app.example.com@evil.example/",
    "https://app.example.com:443@evil.example/",
    "https://user@app.example.com/",
    "https://user:password@app.example.com/",
    "https://@app.example.com/",
    "https://evil.example%40app.example.com/",
    "https://app.example.com%2F@evil.example/",
    "https://evil.example%00.app.example.com/",
    "https://app%2eexample%2ecom/",
    "https://app.example.com:/",
    "https://app.example.com:0/",
    "https://app.example.com:65536/",
    "https://app.example.com:https/",
    "https://app.example.com:443:443/",
    "https://app.example.com:４４３/",
    "https://.app.example.com/",
    "https://app..example.com/",
    "https://-app.example.com/",
    "https://ａpp.example.com/",
    "https://app。example。com/",
    "https://аpp.example.com/",
    "https://app.example.com;evil.example/",
    "https://app.example.com,evil.example/",
    "https://app.example.com&evil.example/",
    "https://app.example.com|evil.example/",
    "https://app.example.com'/",
    'https://app.example.com"/',
    "https://app.example.com<evil/",
    "https://[::1/",
    "https://[::ffff:1.2.3.4.5]/",
    "https://[app.example.com]/",
    " https://app.example.com/",
    "https://app.example.com/ ",
    "https://app.example.com/\n",
    "https://app.example.com/a b",
    "\thttps://app.example.com/",
    "ht\ttps://app.example.com/",
    "https://app.exa\tmple.com/",
    "https://app.example.com\r\nLocation: https://evil.example/",
    "https://app.example.com/\x00",
    "https://app.example.com/\x7f",
    "https://app.example.com/\x85",
    "https://app.example.com/\u00a0",
    "https://app.example.com/\u200b",
    "https://app.example.com/\u2028",
    "https://app.example.com/\u202emoc.live",
    "https://app.example.com/\ufeff",
    "https://app.example.com/\ud800",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "javascript://app.example.com/%0aalert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file://app.example.com/etc/passwd",
    "ftp://app.example.com/",
    "ws://app.example.com/",
    "blob:https://app.example.com/",
    "view-source:https://app.example.com/",
    "intent://app.example.com/#Intent;scheme=https;end",
    "httpss://app.example.com/",
    "hxxps://app.example.com/",
    "https//app.example.com/",
    "https;//app.example.com/",
    "https://app.example.com/" + "a" * 2000,
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_another_host_is_refused_and_is_allowed_where_the_client_lists_none(url: str) -> None:
    assert not is_allowed(url, HOSTS)
    if not url.endswith("com."):
        assert is_allowed(url, [])


@pytest.mark.parametrize("url", MALFORMED)
def test_what_is_not_plainly_an_address_is_refused_whatever_the_client_lists(url: str) -> None:
    assert not is_web_address(url)
    assert not is_allowed(url, [])
    assert not is_allowed(url, HOSTS)


def test_an_address_is_looked_at_again_when_it_is_followed() -> None:
    assert followable("https://app.example.com/", ["app.example.com"]) == "https://app.example.com/"
    assert followable("https://app.example.com/", ["other.example.com"]) is None
    assert followable("", []) is None
