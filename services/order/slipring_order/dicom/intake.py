"""The worker behind storage: takes each object from the spool to order's functions, one commit each, until none waits."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from fnmatch import fnmatchcase
from pathlib import Path

import structlog
from pydicom import Dataset, dcmread
from slipring.fhir.beside import Inside
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Changes, Desk

from slipring_order.dicom.contexts import REPORTS
from slipring_order.dicom.phantoms import Phantoms
from slipring_order.dicom.settings import DicomSettings
from slipring_order.dicom.spool import Received, Spool
from slipring_order.dose.problem import NotADoseReport
from slipring_order.dose.taking import take_dose_report
from slipring_order.images.reading import NotAnImage
from slipring_order.images.taking import take_image_header

_LOG = structlog.get_logger("slipring.dicom")
_POLL_SECONDS = 5.0
_TRIES = 8  # of an object that something unforeseen happens to
_REMEMBERED = 10_000
_SERVER_ERROR = 500
_OF_THE_MOMENT = (409, 412, 429)
# One image stands for all of its series whose headers say the same of patient, number, part and side.
_SAYS = (
    "StudyInstanceUID", "SeriesInstanceUID", "AccessionNumber", "PatientID", "PatientName", "PatientBirthDate",
    "PatientSex", "BodyPartExamined", "Laterality", "ImageLaterality",
)  # fmt: skip


def caller_of(ae_title: str) -> Caller:
    """A DICOM peer on the trail: what it says are facts, also late ones."""
    return Caller(f"dicom:{ae_title}", frozenset({"system/*.cruds", "slipring/record-late"}))


class Intake:
    """Works the spool of one process off."""

    def __init__(self, inside: Inside, spool: Spool, settings: DicomSettings) -> None:
        self._inside = inside
        self._spool = spool
        self._patterns = settings.phantoms
        self.phantoms = Phantoms(inside, spool.folder / "kept", settings.peers)
        self._arrived = asyncio.Event()
        self._tries: dict[Path, tuple[int, float]] = {}  # how often, and not before when
        self._known: OrderedDict[tuple[str, ...], None] = OrderedDict()
        self.oldest_seconds = 0.0
        self.waiting = 0

    def wake(self) -> None:
        """Something has arrived; called on the loop."""
        self._arrived.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._arrived.clear()
            for received in await asyncio.to_thread(lambda: list(self._spool.waiting())):
                await self._try(received)
            left = await asyncio.to_thread(lambda: list(self._spool.waiting()))
            self.waiting = len(left)
            self.oldest_seconds = time.time() - left[0].at_seconds if left else 0.0
            try:
                await asyncio.wait_for(self._arrived.wait(), 0.5 if left else _POLL_SECONDS)
            except TimeoutError:
                continue

    async def _try(self, received: Received) -> None:
        """Take one object; one that cannot be taken now waits, one that never can is put aside. The others go on."""
        tried, not_before = self._tries.get(received.path, (0, 0.0))
        if time.monotonic() < not_before:
            return
        try:
            await self._take(received)
        except (NotADoseReport, NotAnImage) as problem:
            _LOG.warning("dicom object put aside", reason=type(problem).__name__, ae_title=received.ae_title)
            await asyncio.to_thread(self._spool.refuse, received)
        except Exception as problem:
            tried += 1
            _LOG.warning("dicom object waits", kind=type(problem).__name__, tried=tried, ae_title=received.ae_title)
            passing = _passes(problem)
            if tried >= _TRIES and not passing:
                await asyncio.to_thread(self._spool.refuse, received)
            else:
                self._tries[received.path] = (tried, time.monotonic() + min(60.0, 0.5 * 2 ** min(tried, 10)))
                return
        self._tries.pop(received.path, None)

    async def _take(self, received: Received) -> None:
        header = await asyncio.to_thread(dcmread, received.path, stop_before_pixels=True)
        patient = str(header.get("PatientID") or "").strip()
        if any(fnmatchcase(patient, pattern) for pattern in self._patterns):
            names = [
                str(header.get(name) or "") for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
            ]
            kept = await asyncio.to_thread(self._spool.keep, received, *names)
            await asyncio.to_thread(self.phantoms.arrived, kept, received.ae_title)
            return
        if header.get("SOPClassUID") in REPORTS:
            await self._report(header, received.ae_title)
        else:
            await self._image(header, received.ae_title)
        await asyncio.to_thread(self._spool.done, received)

    async def _report(self, header: Dataset, ae_title: str) -> None:
        async def decide(desk: Desk) -> Changes:
            return await take_dose_report(header, desk)

        await self._inside.act(caller_of(ae_title), "Observation/$take-dose-report", decide)

    async def _image(self, header: Dataset, ae_title: str) -> None:
        said = tuple(str(header.get(name) or "") for name in _SAYS)
        if said in self._known:
            return

        async def decide(desk: Desk) -> Changes:
            return await take_image_header(header, desk)

        await self._inside.act(caller_of(ae_title), "ImagingStudy/$take-image-header", decide)
        self._known[said] = None
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


def _passes(problem: Exception) -> bool:
    """Whether the moment is at fault: a refusal of the object itself is final."""
    if isinstance(problem, FhirError):
        return problem.status >= _SERVER_ERROR or problem.status in _OF_THE_MOMENT
    return isinstance(problem, OSError) or "asyncpg" in type(problem).__module__
