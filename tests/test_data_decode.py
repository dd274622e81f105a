"""One image of every kind that is met, as RGB pixels."""

import io

import numpy as np
import pytest
from PIL import Image

from evaluate.images.decode import Encoded, decode


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(content: bytes, resolution: int = 8) -> np.ndarray:
    (batch,) = decode([Encoded("image x", content)], resolution)
    assert batch.shape == (1, 3, resolution, resolution) and batch.dtype == np.uint8
    return batch[0]


RED = (200, 30, 40)


def palette(**options: object) -> bytes:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, *RED])
    return encoded(image, "PNG", **options)


@pytest.mark.parametrize(
    "content, expected",
    [
        (encoded(Image.new("L", (8, 8), 77), "PNG"), (77, 77, 77)),
        (encoded(Image.new("L", (8, 8), 77), "JPEG"), (77, 77, 77)),
        (encoded(Image.new("1", (8, 8), 1), "PNG"), (255, 255, 255)),
        (encoded(Image.new("RGBA", (8, 8), (*RED, 255)), "PNG"), RED),
        (encoded(Image.new("RGBA", (8, 8), (*RED, 0)), "PNG"), (255, 255, 255)),
        (encoded(Image.new("RGBA", (8, 8), (0, 0, 0, 51)), "PNG"), (204, 204, 204)),
        (encoded(Image.new("LA", (8, 8), (0, 0)), "PNG"), (255, 255, 255)),
        (encoded(Image.new("RGB", (8, 8), RED), "PNG", transparency=RED), (255, 255, 255)),
        (palette(), RED),
        (palette(transparency=1), (255, 255, 255)),
        (palette(transparency=b"\x00\xff"), RED),
        (encoded(Image.new("I;16", (8, 8), 65_535), "PNG"), (255, 255, 255)),
        (encoded(Image.new("I;16", (8, 8), 257 * 100), "PNG"), (100, 100, 100)),
        (encoded(Image.new("I;16", (8, 8), 257 * 100), "TIFF"), (100, 100, 100)),
        (encoded(Image.new("I;16B", (8, 8), 257 * 100), "TIFF"), (100, 100, 100)),
        (encoded(Image.new("RGB", (8, 8), RED), "BMP"), RED),
        (encoded(Image.new("RGB", (8, 8), RED), "TIFF"), RED),
        (encoded(Image.new("RGB", (8, 8), RED), "WEBP", lossless=True), RED),
        (encoded(Image.new("RGB", (64, 64), RED), "PNG"), RED),
        (encoded(Image.new("RGB", (3, 2), RED), "PNG"), RED),
    ],
)
def test_kinds_of_images(content: bytes, expected: tuple[int, int, int]) -> None:
    assert np.array_equal(pixels(content), np.broadcast_to(np.array(expected)[:, None, None], (3, 8, 8)))


def test_cmyk() -> None:
    got = pixels(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95))
    assert got[0].min() > 245 and got[1:].max() < 10


@pytest.mark.parametrize("kind, options", [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}), ("TIFF", {})])
def test_the_first_frame_is_taken(kind: str, options: dict[str, object]) -> None:
    frames = [Image.new("RGB", (8, 8), (value, 0, 0)) for value in (255, 0, 100)]
    got = pixels(encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    assert got[0].min() == 255 and got[1:].max() == 0


def test_turned_pictures_are_turned_back() -> None:
    upright = Image.new("RGB", (8, 8))
    upright.paste((255, 0, 0), (0, 0, 8, 4))  # red above
    exif = Image.Exif()
    exif[0x0112] = 6  # as a camera that was held upright stores it
    stored = upright.transpose(Image.Transpose.ROTATE_90)
    assert np.array_equal(pixels(encoded(stored, "PNG", exif=exif)), np.asarray(upright).transpose(2, 0, 1))
    damaged = encoded(stored, "PNG", exif=b"Exif\0\0 not a block of tags")
    assert np.array_equal(pixels(damaged), np.asarray(stored).transpose(2, 0, 1))


@pytest.mark.parametrize(
    "image, reason",
    [
        (Image.new("F", (8, 8), 0.5), "its pixels are real numbers"),
        (Image.new("I", (8, 8), 1 << 20), "its grey values are 1048576 to 1048576: expected 8 or 16 bits"),
    ],
)
def test_numbers_that_are_no_pixels(image: Image.Image, reason: str) -> None:
    with pytest.raises(ValueError, match=f"image x cannot be decoded: {reason}"):
        pixels(encoded(image, "TIFF"))


def test_large_images_are_decoded_in_threads_and_in_order() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (80, 80, 3), np.uint8)
    images = []
    for value in range(100):
        noise[:40] = value
        images.append(Encoded(f"image {value}", encoded(Image.fromarray(noise), "BMP")))
    assert len(images[0].content) > 16_384  # type: ignore[arg-type]
    got = np.concatenate(list(decode(images, 8)))
    assert got[:, 0, 1, 1].tolist() == list(range(100))
    images[70] = images[70]._replace(content=b"x" * 20_000)
    images[80] = images[80]._replace(content=b"x" * 20_000)
    with pytest.raises(ValueError, match="image 70 cannot be decoded"):
        list(decode(images, 8))
