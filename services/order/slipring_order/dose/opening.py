"""Reading a DICOM file that a stranger gave us: whatever it is instead, and that it was cut off, is said in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from slipring_order.dose.problem import Damaged, NotADoseReport

if TYPE_CHECKING:  # a service without a DICOM port starts without it
    from pydicom.dataset import Dataset

_MAGIC = b"DICM"
_PREAMBLE = 128
# Without preamble a dataset begins with its meta information or with the first group of its own, in either byte order.
_BEGINNINGS = (b"\x02\x00", b"\x08\x00", b"\x00\x08")
_BETWEEN_ELEMENTS = 8  # bytes that pydicom asks for where another element may begin: none there is the end


def opened(file: BinaryIO) -> Dataset:
    """The dataset of a file without its pixels; NotADoseReport says what is wrong with it."""
    from pydicom import dcmread

    begin = file.read(_PREAMBLE + len(_MAGIC))
    if not begin:
        raise NotADoseReport("the file is empty", "文件为空")
    marked = begin.endswith(_MAGIC)
    # What does not begin like a dataset is not read to its end: it may be as long as it likes.
    if not marked and not begin.startswith(_BEGINNINGS):
        raise NotADoseReport("this is not a DICOM file", "不是 DICOM 文件")
    file.seek(0)
    whole = _Whole(file)
    try:
        dataset = dcmread(whole, stop_before_pixels=True, force=not marked)
    except Exception as problem:  # what bytes of strangers raise in pydicom is no closed list
        if whole.ended_early:
            raise _cut_off() from problem
        raise NotADoseReport("this is not a DICOM file", "不是 DICOM 文件") from problem
    if whole.ended_early:
        raise _cut_off()
    if not marked and "SOPClassUID" not in dataset:
        raise NotADoseReport("this is not a DICOM file", "不是 DICOM 文件")
    return dataset


def _cut_off() -> Damaged:
    return Damaged("the file is cut off: it ends in the middle of an element", "文件不完整：在数据元素中间结束")


class _Whole:
    """A file that notices when it ends before a value does; pydicom takes what is there for all there was."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner
        self.ended_early = False

    def read(self, size: int = -1) -> bytes:
        found = self._inner.read(size)
        if len(found) < size and not (size == _BETWEEN_ELEMENTS and not found):
            self.ended_early = True
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
