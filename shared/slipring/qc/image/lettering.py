"""Letters for pictures: Latin ones come with Pillow, Chinese ones from the fonts of the system."""

from __future__ import annotations

from functools import cache

from PIL import ImageDraw, ImageFont

from slipring.qc.image.words import book

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@cache
def _chinese() -> tuple[str, int] | None:
    """The first font of words.toml that the system has: its file and face."""
    for entry in book()["font"]:
        file, face = str(entry["file"]), int(entry.get("face", 0))
        try:
            return str(ImageFont.truetype(file, 12, index=face).path), face
        except OSError:
            continue
    return None


def written(language: str) -> str:
    """The language that pictures can be captioned in: English where no font for Chinese is found."""
    return "en" if language == "zh" and _chinese() is None else language


@cache
def letters(size: int, language: str) -> Font:
    """A font of this size, in pixels."""
    found = _chinese() if language == "zh" else None
    return ImageFont.load_default(size) if found is None else ImageFont.truetype(found[0], size, index=found[1])


def fitting(pen: ImageDraw.ImageDraw, text: str, font: Font, width: float) -> str:
    """As much of a text as is no wider than this, in pixels."""
    while text and pen.textlength(text, font=font) > width:
        text = text[:-1]
    return text
