"""A signature written by pen: whether an image holds strokes at all, and nothing but strokes.

It is decoded within limits before anybody stores it; what it shows is nobody's business here, and is never logged.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from slipring_consent.catalogue import data_file

if TYPE_CHECKING:
    from PIL import Image

_END_OF_PNG = b"IEND\xaeB`\x82"
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_SVG = "{http://www.w3.org/2000/svg}"


def png_fault(content: bytes) -> str:
    """Why a PNG is no signature by pen: `too-large`, `unreadable`, `blank`; empty when it is one."""
    from PIL import Image  # takes its time to load, and most processes never see an image

    limits = data_file("signature.toml")["image"]
    if len(content) > limits["most_bytes"]:
        return "too-large"
    if not content.endswith(_END_OF_PNG):  # WeasyPrint has Pillow take what is cut off, in the whole process
        return "unreadable"
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            if image.width * image.height > limits["most_pixels"]:  # said in the header, before anything is unpacked
                return "too-large"
            grey = _on_white(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return "unreadable"
    return "" if _has_strokes(grey, limits) else "blank"


def svg_fault(content: bytes) -> str:
    """Why an SVG is no signature by pen: `too-large`, `unreadable`, `not-strokes`, `blank`; empty when it is one."""
    if len(content) > data_file("signature.toml")["image"]["most_bytes"]:
        return "too-large"
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return "unreadable"
    if "<!" in text.replace("<!--", ""):  # no document type: it may name entities
        return "not-strokes"
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - what is dangerous in XML needs a document type
    except (ElementTree.ParseError, ValueError, LookupError):
        return "unreadable"
    allowed = data_file("signature.toml")["svg"]
    if root.tag != f"{_SVG}svg" or not _plain(root, allowed, allowed["most_depth"]):
        return "not-strokes"
    return "" if _points(root) >= allowed["least_points"] else "blank"


def _on_white(image: Image.Image) -> Image.Image:
    """The image as it looks on paper, in greys: a transparent ground is white."""
    from PIL import Image

    drawn = image.convert("RGBA")
    paper = Image.new("RGBA", drawn.size, "white")
    return Image.alpha_composite(paper, drawn).convert("L")


def _has_strokes(grey: Image.Image, limits: dict[str, Any]) -> bool:
    """Whether enough stands out from the ground, and over some extent; the ground is what most of the image is."""
    counts = grey.histogram()
    ground = counts.index(max(counts))
    ink = grey.point([255 if abs(level - ground) >= limits["least_contrast"] else 0 for level in range(256)])
    box = ink.getbbox()
    if box is None or ink.histogram()[255] < limits["least_ink_pixels"]:
        return False
    return max(box[2] - box[0], box[3] - box[1]) >= int(limits["least_extent_pixels"])


def _plain(element: ElementTree.Element, allowed: dict[str, Any], depth: int) -> bool:
    """Whether it is strokes down to the last, in plain colours; what prints it goes as deep as the elements do."""
    if depth == 0 or element.tag.removeprefix(_SVG) not in allowed["elements"]:
        return False
    if not set(element.attrib) <= set(allowed["attributes"]):
        return False
    paints = (element.get(name, "none") for name in ("fill", "stroke"))
    return all(re.fullmatch(allowed["paint"], paint) for paint in paints) and all(
        _plain(below, allowed, depth - 1) for below in element
    )


def _points(root: ElementTree.Element) -> int:
    """How many different points the strokes go through."""
    found: set[tuple[str, str]] = set()
    for element in root.iter():
        numbers = _NUMBER.findall(f"{element.get('d', '')} {element.get('points', '')}")
        if element.tag == f"{_SVG}line":
            numbers += [element.get(name, "0") for name in ("x1", "y1", "x2", "y2")]
        found.update(zip(numbers[::2], numbers[1::2], strict=False))
    return len(found)
