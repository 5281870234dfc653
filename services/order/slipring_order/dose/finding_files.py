"""Which files a command line means: files, folders with all below them, and patterns the shell did not expand."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset

from slipring_order.dose.opening import opened
from slipring_order.dose.problem import NotADoseReport


@dataclass(frozen=True, slots=True)
class Named:
    """A file to be read; `asked` when it was named itself, so that it must answer."""

    path: Path
    asked: bool = True


def named_files(given: Iterable[Path]) -> list[Named]:
    """Every file once, in the order given; the files of a folder by name."""
    found: dict[Path, Named] = {}
    for path in given:
        if path.is_dir():
            inside = iter([Named(each, asked=False) for each in sorted(path.rglob("*")) if each.is_file()])
        elif not path.exists() and glob.has_magic(str(path)):
            root = Path(path.anchor) if path.is_absolute() else Path()
            matching = sorted(root.glob(str(path.relative_to(root))))
            inside = iter([Named(each) for each in matching if each.is_file()] or [Named(path)])
        else:
            inside = iter([Named(path)])
        for each in inside:
            found.setdefault(each.path, each)
    return list(found.values())


def names_of(files: Iterable[Named]) -> Iterator[tuple[str, Named]]:
    """The name each file is answered under: its own, or its whole path where another has the same name."""
    taken: set[str] = set()
    for file in files:
        name = file.path.name if file.path.name not in taken else str(file.path)
        taken.add(name)
        yield name, file


def read_file(path: Path) -> Dataset:
    """Read a DICOM file without its pixels; anything else is refused in words."""
    try:
        with path.open("rb") as file:
            # What comes through a pipe cannot be gone back in.
            return opened(file if file.seekable() else BytesIO(file.read()))
    except OSError as problem:
        raise NotADoseReport(f"cannot be opened ({problem.strerror})", "无法打开文件") from problem
