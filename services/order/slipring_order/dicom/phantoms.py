"""Phantom series that have arrived whole are measured and become rounds of tests; a process that was killed goes on with them.

The folder of a series is the queue: `from` holds who sent it, `measured` that it is done. Whole means that nothing of it
arrived for a while: C-STORE knows no end of a series.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from pathlib import Path

import structlog
from pydicom import dcmread
from slipring.fhir.beside import Inside
from slipring.fhir.caller import Caller
from slipring.fhir.service import Changes, Desk

from slipring_order.dicom.finding import scanner_of_ae
from slipring_order.dicom.settings import Peer
from slipring_order.equipment.series import measure
from slipring_order.handlers.qc_images import NoScanner, series_measured

_LOG = structlog.get_logger("slipring.dicom")
_QUIET_SECONDS = 5.0
_LOOK_SECONDS = 1.0
_AGAIN_SECONDS = 60.0  # after what could not be taken just then
_FROM, _DONE, _NOBODY = "from", "measured", "no-scanner"
_MOST_IMAGES = 400
_DAY, _TIME = 8, 6  # digits of a DICOM date, and of a time without its fraction


class Phantoms:
    """Measures what lies in the folder of kept series."""

    def __init__(self, inside: Inside, folder: Path, peers: Mapping[str, Peer]) -> None:
        self._inside = inside
        self._folder = folder
        self._peers = peers
        self._open: set[Path] = set()
        self._not_before: dict[Path, float] = {}
        self._stopped = False
        self.without_scanner = 0

    def arrived(self, kept: Path, ae_title: str) -> None:
        """One more image of a series lies there."""
        (kept.parent / _FROM).write_text(ae_title, encoding="utf-8")
        if not (kept.parent / _DONE).exists():
            self._open.add(kept.parent)

    async def run(self) -> None:
        """Until cancelled: measure every series that has come to rest, in the order in which they lie there."""
        self._open |= await asyncio.to_thread(lambda: set(self._left()))
        try:
            while True:
                for series in sorted(self._open):
                    await self._look(series)
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            self._stopped = True

    @property
    def waiting(self) -> int:
        """Series that are not on record yet."""
        return len(self._open)

    async def _look(self, series: Path) -> None:
        """Measure a series when it is time; a folder that cannot be read or marked holds up no other."""
        if time.monotonic() < self._not_before.get(series, 0.0):
            return
        try:
            if time.time() - await asyncio.to_thread(_newest, series) >= _QUIET_SECONDS:
                await self._one(series)
        except OSError as problem:
            self._wait(series, problem)

    async def _one(self, series: Path) -> None:
        files = await asyncio.to_thread(_images, series)
        if not files:  # somebody has tidied up
            self._open.discard(series)
            return
        try:
            sender = await asyncio.to_thread((series / _FROM).read_text, "utf-8")
            uid, made_at = await asyncio.to_thread(_about, files[0], self._inside.settings.zone)
            found = await asyncio.to_thread(measure, files, lambda: not self._stopped)
        except Exception as problem:  # what bytes of strangers raise is no closed list; the files stay for a person
            _LOG.warning("phantom series not measured", kind=type(problem).__name__)
            self._settle(series, _DONE)
            return
        if await asyncio.to_thread(_images, series) != files:
            return  # more of it came while it was measured: not whole yet

        async def decide(desk: Desk) -> Changes:
            scanner = await scanner_of_ae(sender, self._peers, desk)
            return await series_measured(scanner, uid, made_at, found, desk)

        caller = Caller(f"dicom:{sender}", frozenset({"system/*.cruds"}))
        try:
            await self._inside.act(caller, "Task/$measure-phantom", decide)
        except NoScanner:
            _LOG.warning("phantom series of no scanner", ae_title=sender)
            self.without_scanner += 1
            self._settle(series, _NOBODY)
        except Exception as problem:
            self._wait(series, problem)
        else:
            self._settle(series, _DONE)

    def _wait(self, series: Path, problem: Exception) -> None:
        _LOG.warning("phantom series waits", kind=type(problem).__name__)
        self._not_before[series] = time.monotonic() + _AGAIN_SECONDS

    def _settle(self, series: Path, how: str) -> None:
        (series / how).touch()
        self._open.discard(series)
        self._not_before.pop(series, None)

    def _left(self) -> Iterator[Path]:
        """Series that no process has measured; those of no scanner are tried again after a start."""
        for mark in self._folder.glob(f"*/*/{_FROM}"):
            if not (mark.parent / _DONE).exists():
                yield mark.parent


def _images(series: Path) -> list[Path]:
    return sorted(series.glob("*.dcm"))[:_MOST_IMAGES]


def _newest(series: Path) -> float:
    return max((file.stat().st_mtime for file in series.glob("*.dcm")), default=0.0)


def _about(file: Path, zone: tzinfo) -> tuple[str, datetime | None]:
    """The series and when the scanner says it made it."""
    header = dcmread(file, stop_before_pixels=True)
    for name in ("Acquisition", "Series", "Content", "Study"):
        day, at = (str(header.get(f"{name}{part}") or "").partition(".")[0] for part in ("Date", "Time"))
        if len(day) == _DAY and day.isdigit() and len(at) == _TIME and at.isdigit():
            try:
                return str(header.SeriesInstanceUID), datetime.strptime(day + at, "%Y%m%d%H%M%S").replace(tzinfo=zone)
            except ValueError:
                continue
    return str(header.SeriesInstanceUID), None
