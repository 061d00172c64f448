"""The guarded fetcher: it goes to the public internet only, and is neither held up nor filled up (contract 4)."""

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_django.fixtures import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.catalog.fetching import AnswerRefused, TooBig, fetch
from apps.kernel import outside
from apps.kernel.outside import AddressRefused, CannotReach, TooSlow, Unreachable

NOT_PUBLIC = "The host does not exist, or is not on the public internet."

Talk = Callable[[socket.socket], None]


def fetched(url: str, *, most_bytes: int = 1_000_000, seconds: float = 30) -> bytes:
    with fetch(url, allow_loopback=True, most_bytes=most_bytes, seconds=seconds) as file:
        return file.path.read_bytes()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What the resolver says of a host; of those not in it, the truth."""
    known: dict[str, list[str]] = {}
    really = outside.resolve
    monkeypatch.setattr(outside, "resolve", lambda host, port: known.get(host) or really(host, port))
    return known


class Server:
    """A server that says what no library would, one connection after the other; it remembers what it was asked."""

    def __init__(self, talk: Talk, context: ssl.SSLContext | None = None) -> None:
        self.asked: list[bytes] = []
        self.left = threading.Event()
        self._talk, self._context = talk, context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                with self._listener.accept()[0] as connection, suppress(OSError):
                    self._speak(connection)
                self.left.set()

    def _speak(self, connection: socket.socket) -> None:
        if self._context is not None:
            connection = self._context.wrap_socket(connection, server_side=True)
        with connection:
            self.asked.append(connection.recv(65536))
            self._talk(connection)

    def close(self) -> None:
        # Wakes `accept`, which closing alone does not.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(talk: Talk | bytes, context: ssl.SSLContext | None = None) -> Server:
        servers.append(Server((lambda peer: peer.sendall(talk)) if isinstance(talk, bytes) else talk, context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


# --- What comes back ---


def test_a_file_is_fetched_and_gone_after_the_block(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/film.mp4", query_string="v=1").respond_with_data(
        b"film" * 50_000, content_type="Video/MP4; codecs=avc1"
    )
    with fetch(httpserver.url_for("/film.mp4?v=1#t=3"), allow_loopback=True) as file:
        assert file.path.read_bytes() == b"film" * 50_000
        assert (file.size, file.content_type) == (200_000, "video/mp4")
        assert file.final_url == httpserver.url_for("/film.mp4?v=1#t=3")
    assert not file.path.exists()


def test_neither_cookie_nor_credential_nor_packing_is_offered(serve: Callable[..., Server]) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\n\r\nok")
    assert fetched(f"http://127.0.0.1:{server.port}/a%20b?c=d") == b"ok"
    assert sorted(server.asked[0].decode().strip().split("\r\n")) == [
        "Accept-Encoding: identity",
        "Accept: */*",
        "Connection: close",
        "GET /a%20b?c=d HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "User-Agent: GOFA",
    ]


def test_an_answer_in_chunks_is_put_together(serve: Callable[..., Server]) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")
    assert fetched(f"http://127.0.0.1:{server.port}/") == b"abcde"


def test_proxies_of_the_environment_are_not_used(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    httpserver.expect_request("/").respond_with_data(b"straight")
    assert fetched(httpserver.url_for("/")) == b"straight"


# --- Where it goes ---


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:127.0.0.1"])
def test_a_host_with_one_address_that_is_not_public_is_refused(address: str, answers: dict[str, list[str]]) -> None:
    answers["films.example"] = ["93.184.215.14", address]
    with pytest.raises(AddressRefused) as refusal, fetch("http://films.example/", allow_loopback=False):
        pass
    assert refusal.value.message == NOT_PUBLIC


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0", "localhost", "[::1]", "[::ffff:7f00:1]", "0x7f000001"]
)
def test_no_spelling_of_this_machine_gets_through(host: str) -> None:
    with pytest.raises(AddressRefused), fetch(f"http://{host}/", allow_loopback=False):
        pass


@pytest.mark.parametrize("host", ["0.0.0.0", "169.254.169.254", "10.0.0.1", "[fe80::1]"])
def test_the_development_setting_opens_loopback_and_nothing_else(host: str) -> None:
    with pytest.raises(AddressRefused):
        fetched(f"http://{host}/")


def test_loopback_is_closed_unless_the_setting_opens_it(httpserver: HTTPServer, settings: Settings) -> None:
    httpserver.expect_request("/").respond_with_data(b"inside")
    with pytest.raises(AddressRefused), fetch(httpserver.url_for("/")):
        pass
    settings.FETCH_LOOPBACK = True
    with fetch(httpserver.url_for("/")) as file:
        assert file.path.read_bytes() == b"inside"


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ftp://films.example/a",
            "file:///etc/passwd",
            "gopher://films.example/",
            "/api/media/a.mp4",
            "//films.example",
        ),
        *(
            "http://ada:word@films.example/",
            "http://ada@films.example/",
            "http://",
            "http:///a",
            "http://films.example:0/",
        ),
        *(
            "http://films.example:99999/",
            "http://films.example\\@10.0.0.1/",
            "http://films.example/\r\nX: y",
            "data:,a",
        ),
        *("http://films.example /", "http://１２７.0.0.1/", "http://*.example/", f"http://{'a' * 64}.example/", ""),
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str, answers: dict[str, list[str]]) -> None:
    with pytest.raises(AddressRefused):
        fetched(url)


def test_a_host_that_is_not_there_is_told_in_the_words_of_one_that_is_not_public() -> None:
    with pytest.raises(AddressRefused) as refusal:
        fetched("http://films.invalid./")
    assert refusal.value.message == NOT_PUBLIC


def test_a_name_is_looked_up_once_and_the_connection_goes_to_that_answer(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = iter([["127.0.0.1"], ["169.254.169.254"], ["10.0.0.1"]])
    monkeypatch.setattr(outside, "resolve", lambda host, port: next(lookups))
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert fetched(f"http://films.example:{server.port}/a") == b"ok"
    assert f"Host: films.example:{server.port}\r\n".encode() in server.asked[0]
    assert next(lookups) == ["169.254.169.254"]


def test_another_address_of_the_host_is_tried_when_the_first_is_silent(
    serve: Callable[..., Server], answers: dict[str, list[str]]
) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\n\r\nok")
    answers["films.example"] = ["127.0.0.2", "127.0.0.1"]
    assert fetched(f"http://films.example:{server.port}/") == b"ok"


# --- Redirects ---


def test_redirects_are_followed_to_the_file(httpserver: HTTPServer) -> None:
    for number in range(5):
        httpserver.expect_request(f"/{number}").respond_with_data(
            status=[301, 302, 303, 307, 308][number], headers={"Location": f"{number + 1}"}
        )
    httpserver.expect_request("/5").respond_with_data(b"there")
    with fetch(httpserver.url_for("/0"), allow_loopback=True) as file:
        assert (file.path.read_bytes(), file.final_url) == (b"there", httpserver.url_for("/5"))


def test_the_sixth_redirect_is_not_followed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(status=302, headers={"Location": "/"})
    with pytest.raises(AnswerRefused, match="more than 5 times"):
        fetched(httpserver.url_for("/"))
    assert len(httpserver.log) == 6


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:10.0.0.1]/",
        "//192.168.0.1/",
        "file:///etc/passwd",
        "http://ada:word@127.0.0.1/",
        "http://intern.example/",
    ],
)
def test_a_chain_of_redirects_does_not_lead_inside(
    location: str, httpserver: HTTPServer, answers: dict[str, list[str]]
) -> None:
    answers["intern.example"] = ["10.1.2.3"]
    httpserver.expect_request("/a").respond_with_data(status=302, headers={"Location": "/b"})
    httpserver.expect_request("/b").respond_with_data(status=307, headers={"Location": location})
    with pytest.raises(AddressRefused):
        fetched(httpserver.url_for("/a"))
    assert [request.path for request, _ in httpserver.log] == ["/a", "/b"]


def test_a_name_that_becomes_private_between_redirects_is_refused(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = iter([["127.0.0.1"], ["10.0.0.1"]])
    monkeypatch.setattr(outside, "resolve", lambda host, port: next(lookups))
    httpserver.expect_request("/a").respond_with_data(status=302, headers={"Location": "/b"})
    with pytest.raises(AddressRefused):
        fetched(f"http://films.example:{httpserver.port}/a")
    assert len(httpserver.log) == 1


# --- How long, and how much ---


def drip(begin: bytes, drop: bytes) -> Talk:
    """A byte now and then: never so late that a read times out."""

    def talk(peer: socket.socket) -> None:
        peer.sendall(begin)
        peer.settimeout(0.02)
        while True:
            with suppress(TimeoutError):
                if not peer.recv(1):
                    return
            peer.sendall(drop)

    return talk


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"."),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"."),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n.\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"."),
        (b"HTTP/1.1 ", b"2"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1"),
    ],
)
def test_a_server_that_drips_is_left(begin: bytes, drop: bytes, serve: Callable[..., Server]) -> None:
    server = serve(drip(begin, drop))
    with pytest.raises(CannotReach) as refusal:
        fetched(f"http://127.0.0.1:{server.port}/", seconds=0.4)
    assert refusal.value.may_pass
    assert server.left.wait(30), "the connection is still open"


def test_a_server_that_says_nothing_is_left(serve: Callable[..., Server]) -> None:
    server = serve(lambda peer: peer.recv(1) and None)
    with pytest.raises(TooSlow, match=r"within 0\.2 seconds"):
        fetched(f"http://127.0.0.1:{server.port}/", seconds=0.2)
    assert server.left.wait(30)


def test_a_resolver_that_says_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(outside, "resolve", lambda host, port: never.wait() and [])
    with pytest.raises(TooSlow):
        fetched("http://films.example/", seconds=0.1)
    never.set()


def test_an_endless_body_is_left_at_the_limit(serve: Callable[..., Server]) -> None:
    def talk(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.sendall(bytes(65536))

    server = serve(talk)
    with pytest.raises(TooBig, match="larger than 300,000 bytes"):
        fetched(f"http://127.0.0.1:{server.port}/", most_bytes=300_000)
    assert server.left.wait(30)


def test_a_body_of_exactly_the_limit_is_taken(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(bytes(1000))
    assert fetched(httpserver.url_for("/"), most_bytes=1000) == bytes(1000)
    with pytest.raises(TooBig):
        fetched(httpserver.url_for("/"), most_bytes=999)


def test_a_body_that_is_announced_too_large_is_not_read(serve: Callable[..., Server]) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    with pytest.raises(TooBig):
        fetched(f"http://127.0.0.1:{server.port}/")


def test_a_body_shorter_than_announced_is_no_file(serve: Callable[..., Server]) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    with pytest.raises(Unreachable, match="breaks its answer off"):
        fetched(f"http://127.0.0.1:{server.port}/")


def test_a_body_longer_than_announced_is_cut_there(serve: Callable[..., Server]) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef")
    assert fetched(f"http://127.0.0.1:{server.port}/") == b"abc"


@pytest.mark.parametrize(
    "end", [b"ffffff\r\nabc", b"-5\r\nabc", b"x\r\n", b"2\r\nab", b"5" * 70_000, b"2\r\nabc\r\n0\r\n\r\n"]
)
def test_chunks_that_do_not_add_up_are_no_file(end: bytes, serve: Callable[..., Server]) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + end)
    with pytest.raises(Unreachable):
        fetched(f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
    ],
)
def test_what_is_no_answer_of_a_web_server_is_refused(answer: bytes, serve: Callable[..., Server]) -> None:
    server = serve(answer)
    with pytest.raises(Unreachable):
        fetched(f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "zstd", "deflate", "identity, gzip"])
def test_a_packed_body_is_not_unpacked(encoding: str, httpserver: HTTPServer) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    httpserver.expect_request("/").respond_with_data(bomb, headers={"Content-Encoding": encoding})
    with pytest.raises(AnswerRefused, match="packed"):
        fetched(httpserver.url_for("/"))


def test_a_packed_transfer_is_refused(serve: Callable[..., Server]) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")
    with pytest.raises(AnswerRefused):
        fetched(f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize(("status", "may_pass"), [(204, False), (206, False), (403, False), (404, False), (503, True)])
def test_only_200_is_a_file(status: int, may_pass: bool, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_handler(lambda request: status_only(request, status))
    with pytest.raises(CannotReach, match=f"answers {status}") as refusal:
        fetched(httpserver.url_for("/"))
    assert refusal.value.may_pass is may_pass


def status_only(_request: Request, status: int) -> Response:
    return Response(b"", status)


def test_a_redirect_to_nowhere_ends(serve: Callable[..., Server]) -> None:
    server = serve(b"HTTP/1.1 302 Found\r\n\r\n")
    with pytest.raises(AnswerRefused):
        fetched(f"http://127.0.0.1:{server.port}/")


def test_a_port_on_which_nobody_listens_may_pass() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable):
        fetched(f"http://127.0.0.1:{port}/")


def test_nothing_is_left_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    httpserver.expect_request("/").respond_with_data(bytes(1000))
    with fetch(httpserver.url_for("/"), allow_loopback=True) as file:
        assert list(tmp_path.iterdir()) == [file.path]
    with pytest.raises(TooBig):
        fetched(httpserver.url_for("/"), most_bytes=10)
    assert not list(tmp_path.iterdir())


# --- TLS ---


class Authority:
    """One that certifies what it is asked to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Tests")])
        self.certificate = self._signed(self.name, self.key, x509.BasicConstraints(ca=True, path_length=None))
        self.file = folder / "authority.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _signed(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType
    ) -> x509.Certificate:
        today = datetime.now(UTC)
        builder = x509.CertificateBuilder(self.name, name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(today - timedelta(days=1)).not_valid_after(today + timedelta(days=1))
        for extension in (
            *extensions,
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
        ):
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self.key, hashes.SHA256())

    def server(self, host: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = x509.DNSName(host) if host[0].isalpha() else x509.IPAddress(ip_address(host))
        certificate = self._signed(x509.Name([]), key, x509.SubjectAlternativeName([alternative]))
        file = self.folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    context = ssl.create_default_context(cafile=str(authority.file))
    monkeypatch.setattr(outside, "tls", lambda: context)
    return authority


OVER_TLS = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsealed"


def test_tls_asks_for_the_name_and_checks_it(
    trusted: Authority, serve: Callable[..., Server], answers: dict[str, list[str]]
) -> None:
    names: list[str | None] = []
    context = trusted.server("films.example")
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    server = serve(OVER_TLS, context)
    answers["films.example"] = ["127.0.0.1"]
    assert fetched(f"https://films.example:{server.port}/") == b"sealed"
    assert names == ["films.example"]


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
def test_a_certificate_of_another_name_is_refused(
    host: str, trusted: Authority, serve: Callable[..., Server], answers: dict[str, list[str]]
) -> None:
    server = serve(OVER_TLS, trusted.server(host))
    answers["films.example"] = ["127.0.0.1"]
    with pytest.raises(Unreachable, match="certificate"):
        fetched(f"https://films.example:{server.port}/")


def test_a_certificate_that_nobody_trusts_is_refused(
    authority: Authority, serve: Callable[..., Server], answers: dict[str, list[str]]
) -> None:
    server = serve(OVER_TLS, authority.server("films.example"))
    answers["films.example"] = ["127.0.0.1"]
    with pytest.raises(Unreachable, match="certificate"):
        fetched(f"https://films.example:{server.port}/")


def test_a_drip_under_tls_is_left(
    trusted: Authority, serve: Callable[..., Server], answers: dict[str, list[str]]
) -> None:
    server = serve(drip(b"HTTP/1.1 200 OK\r\n\r\n", b"."), trusted.server("films.example"))
    answers["films.example"] = ["127.0.0.1"]
    with pytest.raises(TooSlow):
        fetched(f"https://films.example:{server.port}/", seconds=1)
    assert server.left.wait(30)


def test_a_handshake_that_does_not_come_is_left(trusted: Authority, serve: Callable[..., Server]) -> None:
    server = serve(lambda peer: peer.recv(1) and None)
    with pytest.raises(TooSlow):
        fetched(f"https://127.0.0.1:{server.port}/", seconds=0.3)
    assert server.left.wait(30)
