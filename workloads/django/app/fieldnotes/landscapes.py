"""Paints landscapes from a number, so that the sample notes need no image files."""

import io
import math
import random

from PIL import Image, ImageDraw, ImageFilter

SIZE = (1200, 800)
Colour = tuple[int, int, int]

# Sky at the top, sky at the horizon, the farthest hill, the nearest hill.
PALETTES: list[tuple[Colour, Colour, Colour, Colour]] = [
    ((92, 128, 168), (247, 214, 178), (142, 150, 172), (28, 52, 50)),
    ((38, 70, 110), (240, 160, 120), (120, 100, 130), (24, 28, 48)),
    ((150, 196, 214), (240, 240, 222), (138, 176, 150), (34, 82, 58)),
    ((104, 118, 138), (206, 212, 214), (136, 152, 160), (40, 56, 66)),
    ((226, 166, 98), (252, 232, 190), (206, 142, 92), (92, 52, 38)),
    ((16, 28, 62), (96, 116, 158), (52, 70, 110), (8, 14, 28)),
]
OVERCAST = 3  # the palette without a sun


def paint(seed: int) -> bytes:
    """Return a JPEG of sky, sun or moon, and hills in the haze; the same number gives the same picture."""
    dice = random.Random(seed)  # noqa: S311 -- for looks, not for secrets
    top, horizon, far, near = PALETTES[seed % len(PALETTES)]
    width, height = SIZE
    picture = Image.new("RGB", SIZE)
    draw = ImageDraw.Draw(picture)
    for y in range(height):
        draw.line((0, y, width, y), fill=_mix(top, horizon, min(1.0, y / (height * 0.66))))
    if seed % len(PALETTES) != OVERCAST:
        x, y, radius = dice.randint(200, 1000), dice.randint(150, 330), dice.randint(38, 74)
        _shine(picture, (x, y), radius * 2.4, strength=110, blur=radius * 0.9)
        _shine(picture, (x, y), radius, strength=255, blur=1.5)
        draw = ImageDraw.Draw(picture)
    layers = 6
    for layer in range(layers):
        depth = layer / (layers - 1)
        base = height * (0.44 + 0.5 * depth**1.2)
        waves = [(dice.uniform(1.1, 7.0), dice.uniform(0, math.tau)) for _ in range(5)]
        swing = 66 - 20 * depth
        ridge = [
            (px, base - sum(math.sin(px / width * f * math.pi + phase) * swing / f for f, phase in waves))
            for px in range(0, width + 6, 6)
        ]
        draw.polygon([(0, height), *ridge, (width, height)], fill=_mix(far, near, depth))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=86)
    return buffer.getvalue()


def _shine(picture: Image.Image, at: tuple[int, int], radius: float, *, strength: int, blur: float) -> None:
    """Lay a disc of warm light over the picture, with a soft rim."""
    mask = Image.new("L", picture.size)
    x, y = at
    ImageDraw.Draw(mask).ellipse((x - radius, y - radius, x + radius, y + radius), fill=strength)
    picture.paste((255, 248, 230), mask=mask.filter(ImageFilter.GaussianBlur(blur)))


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue
