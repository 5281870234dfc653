"""Text of a file that does not say in which character set it is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a service without a DICOM port starts without it
    from pydicom.dataset import Dataset


# Without a declared set DICOM allows ASCII alone (PS3.3 C.12.1.1.2); scanners write these all the same. GB18030 takes
# almost any bytes for signs, so that it is the last and counts where whole words of signs come out.
_TRIED = ("utf-8", "gb2312", "gb18030")
_ASCII = ("", "ISO_IR 6", "ISO 2022 IR 6")
_WITH_ESCAPES = "ISO 2022 IR 58"
_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_WORD = re.compile(rf"[{_HAN}]{{2,}}")
_LOST = re.compile(rf"(?<=[A-Za-z])[{_HAN}](?=[A-Za-z])")  # an accented letter that was taken for half a sign
_SIGNS = re.compile(rf"[\x20-\x7e\r\n\t{_HAN}\u3000-\u303f\uff00-\uffef\u2010-\u2027\u00b7\u2160-\u217f\u2460-\u249b]*")


# What UTF-8 is believed for: pairs of GB2312 bytes are two bytes of UTF-8 now and then, and then rare letters come out.
_UNICODE = re.compile(r"(?:[\x20-\x7e\r\n\t\u00b0-\u024f\u0800-\U0010ffff]|[\u0391-\u03c9](?![\u0370-\u07ff]))*")


def text_of(dataset: Dataset) -> Callable[[object], str]:
    """How texts of this file are to be read: as decoded where it declares its set, else by what its bytes can be.

    Some that declare GB2312 by code extensions write it without the escapes: those are not decoded yet.
    """
    from pydicom.charset import python_encoding

    declared = dataset.get("SpecificCharacterSet")
    held = [declared] if isinstance(declared, str) else [str(one or "") for one in declared or ()]
    sets = [one for one in held if one in python_encoding and one not in _ASCII]
    return repaired if not sets or _WITH_ESCAPES in sets else _stripped


def repaired(value: object) -> str:
    """A text whose bytes were taken for Latin-1 because no set was declared.

    >>> repaired("张三".encode().decode("latin-1")), repaired("张三".encode("gb2312").decode("latin-1"))
    ('张三', '张三')
    >>> repaired("𠮷田㐂".encode("gb18030").decode("latin-1"))
    '𠮷田㐂'
    >>> repaired("头颅".encode("gb2312").decode("latin-1")), repaired("10 μm".encode().decode("latin-1"))
    ('头颅', '10 μm')
    >>> repaired("Müller"), repaired("Größe"), repaired("Ørsted")
    ('Müller', 'Größe', 'Ørsted')
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
            found = written.decode(name)
        except UnicodeDecodeError:
            continue
        fits = _UNICODE.fullmatch(found) if name == "utf-8" else not _LOST.search(found)
        if fits and (name != "gb18030" or _reads_as_chinese(found)):
            return found
    return text


def _reads_as_chinese(text: str) -> bool:
    return _WORD.search(text) is not None and _SIGNS.fullmatch(text) is not None


def _stripped(value: object) -> str:
    return "" if value is None else str(value).strip(" \0")
