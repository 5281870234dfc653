"""A series of phantom images measured: the values that images can give, how, and one annotated picture. No web, no database."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from slipring.qc.image.analysis import Analysed, analyse
from slipring.qc.image.limits.book import editions
from slipring.qc.image.occasion import Occasion
from slipring.qc.image.outline import NoPhantom
from slipring.qc.image.picture import draw
from slipring.qc.image.reading import ImageRefused, read_slices

from slipring_order.equipment.values import Value
from slipring_order.rooms.scanner_standard import from_images, tests

_DIGITS = 4  # of a value as it is stored; it is rounded to the display before it is compared


@dataclass(frozen=True, slots=True)
class Measured:
    """What a series gave; `refused`: how many images gave nothing, by the reason's code."""

    values: tuple[Value, ...] = ()
    methods: Mapping[str, str] = field(default_factory=dict)  # by test
    picture: bytes = b""  # PNG
    images: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


def measure(files: Sequence[Path], go_on: Callable[[], bool] = lambda: True) -> Measured:
    """Measure every image of a series, as long as `go_on`; what is no phantom image is counted under `refused` with its reason."""
    occasion, refused = Occasion("series"), Counter[str]()
    for number, file in enumerate(files, 1):
        if not go_on():
            break
        try:
            for frame, image in enumerate(read_slices(file), 1):
                try:
                    occasion.images[f"{number}.{frame}"] = analyse(image)
                except NoPhantom as problem:
                    refused[problem.code] += 1
        except ImageRefused as problem:
            refused[problem.code] += 1
    values = tuple(_values(occasion))
    flags = sorted({flag.code for image in occasion.images.values() for flag in image.flags})
    return Measured(
        values, _methods(occasion, values), _picture(occasion), len(occasion.images), dict(refused), tuple(flags)
    )


def _values(occasion: Occasion) -> Iterator[Value]:
    """In the terms of the standard's tests; a thickness as its deviation from the nominal one."""
    found = occasion.values()
    images = [image.image for image in occasion.images.values()]
    nominal = {image.thickness_mm for image in images if image.thickness_mm}
    kernels = {str(image.facts.get("kernel", "")) for image in images}
    sharp = any(edition.is_sharp(kernel) for edition in editions().values() for kernel in kernels)
    for test, source in from_images().items():
        value = found.get(source["item"])
        if value is None or not math.isfinite(value) or (source.get("standard_algorithm") and sharp):
            continue
        if not source.get("deviation"):
            yield Value(test, _kept(value))
        elif len(nominal) == 1:  # slices of several thicknesses are measured series by series
            size = next(iter(nominal))
            yield Value(test, _kept(value - size), Decimal(str(size)))


def _kept(value: float) -> Decimal:
    return round(Decimal(str(value)), _DIGITS)


def _methods(occasion: Occasion, values: Sequence[Value]) -> dict[str, str]:
    told = {one.item: one.method for image in occasion.images.values() for one in image.measured}
    return {
        value.test: f"{tests()[value.test]['en']}: {told[item]}"
        for value in values
        if (item := from_images()[value.test]["item"]) in told
    }


def _picture(occasion: Occasion) -> bytes:
    """Of the image that gave most; only what shows a phantom is ever drawn."""
    if not occasion.images:
        return b""
    best: Analysed = max(occasion.images.values(), key=lambda image: len(image.measured))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "picture.png"
        draw(best, (), f"{len(occasion.images)} images", file)
        return _smaller(file)


def _smaller(file: Path) -> bytes:
    """In 64 colours: a third of the size, and every line is still there."""
    from PIL import Image

    with Image.open(file) as picture:
        picture.quantize(64).save(file, "PNG", optimize=True)
    return file.read_bytes()
