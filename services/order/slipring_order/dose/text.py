"""Text of a file that does not say in which character set it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a service without a DICOM port starts without it
    from pydicom.dataset import Dataset


# Without a declared set DICOM allows ASCII alone (PS3.3 C.12.1.1.2); scanners write these two all the same.
_TRIED = ("utf-8", "gb2312")


def text_of(dataset: Dataset) -> Callable[[object], str]:
    """How texts of this file are to be read: as decoded where it declares its set, else by what its bytes can be."""
    return _stripped if dataset.get("SpecificCharacterSet") else repaired


def repaired(value: object) -> str:
    """A text whose bytes were taken for Latin-1 because no set was declared.

    >>> repaired("张三".encode().decode("latin-1")), repaired("张三".encode("gb2312").decode("latin-1"))
    ('张三', '张三')
    >>> repaired("Müller")
    'Müller'
    """
    text = _stripped(value)
    try:
        written = text.encode("latin-1")
    except UnicodeEncodeError:
        return text
    if written.isascii():
        return text
    for name in _TRIED:
        try:
            return written.decode(name)
        except UnicodeDecodeError:
            continue
    return text


def _stripped(value: object) -> str:
    return "" if value is None else str(value).strip(" \0")
