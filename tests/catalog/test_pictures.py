"""Posters: whatever is uploaded, a clean JPEG comes out or a reason why not (contract 4)."""

import struct
import zlib
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from apps.catalog import darkroom
from apps.catalog.pictures import PictureRefused, blur_data_url, poster, thumbnail

DEMO = Path("static/demo")
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    data = BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def shown(data: bytes) -> Image.Image:
    picture = Image.open(BytesIO(data))
    picture.load()
    return picture


def halves(width: int = 400, height: int = 200) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (width, height), (220, 20, 20))
    picture.paste((20, 20, 220), (width // 2, 0, width, height))
    return picture


def is_near(seen: Any, meant: tuple[int, int, int]) -> bool:
    return all(abs(one - other) <= 12 for one, other in zip(seen, meant, strict=True))


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, rows: bytes = b"") -> bytes:
    """A PNG that says it has that size, whatever is in it."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = b"".join(chunks) + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + body


# --- What comes out ---


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_poster_is_a_jpeg_of_the_same_picture(kind: str) -> None:
    drawn = poster(encoded(halves(), kind))
    assert (drawn.width, drawn.height, drawn.content_type) == (400, 200, "image/jpeg")
    seen = shown(drawn.data)
    assert (seen.format, seen.mode, seen.size) == ("JPEG", "RGB", (400, 200))
    assert is_near(seen.getpixel((50, 100)), (220, 20, 20))
    assert is_near(seen.getpixel((350, 100)), (20, 20, 220))


@pytest.mark.parametrize("name", ["balance.poster.webp", "tai_chi.thumb.webp"])
def test_the_demos_pictures_are_taken(name: str) -> None:
    original = Image.open(DEMO / name)
    assert shown(poster((DEMO / name).read_bytes()).data).size == original.size


@pytest.mark.parametrize(
    ("size", "as_poster", "as_thumbnail"),
    [
        ((4000, 2000), (1920, 960), (640, 320)),
        ((1000, 3000), (640, 1920), (213, 640)),
        ((300, 100), (300, 100), (300, 100)),
        ((8000, 1), (1920, 1), (640, 1)),
    ],
)
def test_pictures_are_made_smaller_never_larger(
    size: tuple[int, int], as_poster: tuple[int, int], as_thumbnail: tuple[int, int]
) -> None:
    data = encoded(Image.new("RGB", size), "JPEG")
    assert shown(poster(data).data).size == as_poster
    assert shown(thumbnail(data).data).size == as_thumbnail


def test_the_blur_is_a_tiny_webp_in_an_address() -> None:
    head, _, body = blur_data_url(encoded(halves(1600, 900), "JPEG")).partition(",")
    seen = shown(b64decode(body))
    assert head == "data:image/webp;base64"
    assert (seen.format, seen.size) == ("WEBP", (16, 9))
    assert len(body) < 400


@pytest.mark.parametrize(
    ("orientation", "left", "size"), [(1, "red", (400, 200)), (3, "blue", (400, 200)), (6, "red", (200, 400))]
)
def test_a_picture_stands_as_the_camera_was_held(orientation: int, left: str, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    seen = shown(poster(encoded(halves(), "JPEG", exif=exif)).data)
    assert seen.size == size
    assert is_near(seen.getpixel((20, 20)), {"red": (220, 20, 20), "blue": (20, 20, 220)}[left])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_nothing_beside_the_pixels_is_passed_on(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRET maker"
    exif.get_ifd(0x8825)[2] = (22.0, 16.0, 41.0)
    options: dict[str, Any] = {"exif": exif, "icc_profile": SRGB}
    if kind == "JPEG":
        options["comment"] = b"SECRET words"
    data = encoded(halves(), kind, **options) + b"<script>SECRET</script>"
    for drawn in (poster(data).data, b64decode(blur_data_url(data).partition(",")[2])):
        seen = shown(drawn)
        assert not {"exif", "comment", "icc_profile", "xmp"} & set(seen.info)
        assert not seen.getexif()
        assert b"SECRET" not in drawn


def test_nonsense_in_the_metadata_does_not_spoil_a_picture() -> None:
    data = encoded(halves(), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff nonsense", icc_profile=b"nonsense" * 40)
    assert is_near(shown(poster(data).data).getpixel((50, 100)), (220, 20, 20))


def test_colours_of_another_profile_are_turned_into_srgb() -> None:
    swapped = SRGB.replace(b"rXYZ", b"....").replace(b"bXYZ", b"rXYZ").replace(b"....", b"bXYZ")
    data = encoded(Image.new("RGB", (64, 64), (200, 100, 50)), "PNG", icc_profile=swapped)
    assert is_near(shown(poster(data).data).getpixel((30, 30)), (50, 100, 200))


def test_a_transparent_picture_stands_on_white() -> None:
    picture = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    picture.paste((220, 20, 20, 255), (0, 0, 50, 100))
    for data in (encoded(picture, "PNG"), encoded(picture, "WEBP", lossless=True), encoded(picture.quantize(), "PNG")):
        seen = shown(poster(data).data)
        assert is_near(seen.getpixel((80, 50)), (255, 255, 255))
        assert is_near(seen.getpixel((20, 50)), (220, 20, 20))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_pictures_of_every_mode_are_taken(mode: str) -> None:
    if mode == "I;16":
        picture = Image.frombytes("I;16", (64, 64), struct.pack("<H", 0xFFFF) * 64 * 64)
    else:
        picture = Image.new("RGB", (64, 64), "white").convert(mode)
    data = encoded(picture, "JPEG" if mode == "CMYK" else "PNG")
    assert is_near(shown(poster(data).data).getpixel((30, 30)), (255, 255, 255))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture_is_taken(kind: str) -> None:
    first, second = Image.new("RGB", (64, 64), (220, 20, 20)), Image.new("RGB", (64, 64), (20, 20, 220))
    data = encoded(first, kind, save_all=True, append_images=[second], duration=100)
    assert is_near(shown(poster(data).data).getpixel((30, 30)), (220, 20, 20))


def test_of_a_jpeg_with_more_pictures_the_first_is_taken() -> None:
    """As telephones take them: with another for depth, or for bright screens."""
    data = encoded(halves(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 64))])
    assert shown(poster(data).data).size == (400, 200)


# --- What is refused ---


def gif() -> bytes:
    return encoded(Image.new("P", (8, 8)), "GIF")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"GIF89a/*<html><script>alert(1)</script>",
        gif() + b"<html>",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"<!DOCTYPE html><html></html>",
        b"%PDF-1.7",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b" \xff\xd8\xff",
        encoded(Image.new("RGB", (32, 32)), "ICO"),
        encoded(Image.new("RGB", (32, 32)), "TIFF"),
        encoded(Image.new("RGB", (32, 32)), "BMP"),
        encoded(Image.new("RGB", (32, 32)), "AVIF"),
    ],
)
def test_what_is_neither_jpeg_nor_png_nor_webp_is_refused(data: bytes, no_darkroom: None) -> None:
    with pytest.raises(PictureRefused, match="neither JPEG nor PNG nor WebP"):
        poster(data)


def test_a_picture_above_10_mib_is_refused(no_darkroom: None) -> None:
    with pytest.raises(PictureRefused, match="larger than 10 MiB"):
        poster(encoded(halves(), "JPEG") + bytes(10 * 1024 * 1024))


@pytest.fixture
def no_darkroom(monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be seen from the first bytes does not need a decoder."""
    monkeypatch.delattr(darkroom, "develop")


BEGINNINGS = [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\xff\x00\x00WEBPVP8 ", b"RIFF\x00\x00\x00\x00WEBP"]


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("rest", [b"", b"<html><script>alert(1)</script>", bytes(5000), b"\xff" * 5000, gif()])
def test_what_only_begins_like_a_picture_is_refused(beginning: bytes, rest: bytes) -> None:
    with pytest.raises(PictureRefused, match="damaged, cut off, or not what it begins like"):
        poster(beginning + rest)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_picture_that_is_cut_off_is_refused(kind: str, share: float) -> None:
    data = encoded(Image.effect_noise((300, 300), 80), kind)
    with pytest.raises(PictureRefused, match="cut off"):
        poster(data[: int(len(data) * share)])


def webp_of_size(width: int, height: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + sides
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_of_size(width: int, height: int) -> bytes:
    """A real one, whose header was changed."""
    data = encoded(Image.new("L", (64, 64)), "JPEG")
    place = data.index(b"\xff\xc0") + 5
    return data[:place] + struct.pack(">HH", height, width) + data[place + 4 :]


@pytest.mark.parametrize(
    "bomb",
    [
        png(30_000, 30_000, rows=bytes(3_000_000)),
        png(50_001, 1_000),
        png(20_000, 10, rows=bytes(600_010)),
        png(2**31 - 1, 2**31 - 1),
        webp_of_size(16_000, 16_000),
        jpeg_of_size(60_000, 60_000),
        jpeg_of_size(65_000, 8),
    ],
)
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(bomb: bytes) -> None:
    assert len(bomb) < 10_000
    with pytest.raises(PictureRefused, match="more than 50 million pixels"):
        poster(bomb)


def test_a_bomb_in_the_metadata_is_refused() -> None:
    text = png_chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(100_000_000)))
    with pytest.raises(PictureRefused):
        poster(png(8, 8, text, rows=bytes(8 * 25)))


def test_a_picture_that_takes_too_much_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.new("RGBA", (6000, 6000)), "PNG")
    monkeypatch.setattr(darkroom, "MEMORY_BYTES", 256 * 1024 * 1024)
    with pytest.raises(PictureRefused, match="too much memory"):
        poster(data)
    monkeypatch.undo()
    assert poster(data).width == 1920


def test_a_picture_at_the_limit_of_pixels_fits_into_the_memory() -> None:
    drawn = poster(encoded(Image.new("RGBA", (10_000, 5_000)), "PNG"))
    assert (drawn.width, drawn.height) == (1920, 960)
