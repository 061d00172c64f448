"""Which picture does a film show at a given second? A file in MP4 or WebM is asked for it, never an address."""

from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from apps.catalog import darkroom, fetching
from apps.catalog.darkroom import Picture
from apps.kernel.refusals import BadRequest

FRAME_LONGEST = 1920
MOST_FILM_SECONDS = 24 * 3600.0
_HEAD = 4096
_PLAYLISTS = {".m3u8": "an HLS", ".m3u": "an HLS", ".mpd": "a DASH"}
# ISO 14496-12 and its kin. HEIC and AVIF pictures begin with a box of the same name and other brands.
_MP4_BRANDS = {b"isom", b"mp41", b"mp42", b"mp71", b"avc1", b"M4V ", b"M4VH", b"M4VP", b"dash", b"MSNV", b"f4v "}
_MP4_BRANDS |= {b"iso%d" % number for number in range(2, 10)}
_BOM, _EXTM3U = b"\xef\xbb\xbf", b"#EXTM3U"
_EBML = b"\x1a\x45\xdf\xa3"
_DOCTYPE_WEBM = b"\x42\x82\x84webm"


class FilmRefused(BadRequest):
    """No picture can be had; the message says why, in a sentence for an administrator."""


def frame_from(url: str, seconds: float) -> Picture:
    """`frame_at` for a film at an address. Raises FilmRefused, CannotReach."""
    refuse_playlist(url)
    with fetching.fetch(url) as film:
        return frame_at(film.path, seconds)


def frame_at(film: Path, seconds: float) -> Picture:
    """What is seen at that second, or at the end where the film is shorter: a PNG of at most 1920 pixels a side.

    Raises FilmRefused.
    """
    with film.open("rb") as file:
        kind = film_kind(file.read(_HEAD))
        try:
            return darkroom.develop(
                file,
                "frame",
                saved_as="PNG",
                kind=kind,
                seconds=min(seconds, MOST_FILM_SECONDS) if seconds > 0 else 0.0,
                longest=FRAME_LONGEST,
            )
        except darkroom.Spoilt as flaw:
            raise FilmRefused(f"The film {flaw}.") from flaw


def refuse_playlist(url: str) -> None:
    """An address that by its name is a playlist need not be fetched to know that no picture can be taken from it."""
    kind = _PLAYLISTS.get(_ending(url))
    if kind is not None:
        raise FilmRefused(_playlist(kind))


def is_playlist_address(url: str) -> bool:
    """By its name."""
    return _ending(url) in _PLAYLISTS


def is_playlist(head: bytes) -> bool:
    """By how the file begins: HLS, or the XML of DASH."""
    text = head.removeprefix(_BOM)
    return text.startswith(_EXTM3U) or (text.lstrip().startswith(b"<") and b"<MPD" in text)


def film_kind(head: bytes) -> str:
    """`mp4` or `webm`, by how the file begins. Raises FilmRefused."""
    if head[4:8] == b"ftyp" and _brands(head) & _MP4_BRANDS:
        return "mp4"
    if head.startswith(_EBML) and _DOCTYPE_WEBM in head[:128]:
        return "webm"
    if head.removeprefix(_BOM).startswith(_EXTM3U):
        raise FilmRefused(_playlist("an HLS"))
    raise FilmRefused("The film is neither MP4 nor WebM.")


def _ending(url: str) -> str:
    return PurePosixPath(urlsplit(url).path).suffix.lower()


def _brands(head: bytes) -> set[bytes]:
    """The major brand and the compatible ones; between them stands a version."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[8:12]} | {head[place : place + 4] for place in range(16, size - 3, 4)}


def _playlist(kind: str) -> str:
    return f"The video is {kind} playlist: no thumbnail can be taken from one. Give an MP4, or upload a picture."
