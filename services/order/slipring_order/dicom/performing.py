"""Answers N-CREATE and N-SET of performed steps (PS3.4 annex F.7): facts go on record, only a wrong shape is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import evt
from slipring.fhir.beside import Inside
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Changes, Desk

from slipring_order.dicom.admission import Admission
from slipring_order.dicom.bridge import Bridge, Gone
from slipring_order.dicom.finding import scanner_of_ae
from slipring_order.dicom.intake import caller_of
from slipring_order.dicom.settings import Peer
from slipring_order.dicom.step_facts import StepFacts, Unusable, begun, changed
from slipring_order.handlers.performed_steps import step_begun, step_changed

_LOG = structlog.get_logger("slipring.dicom")
# PS3.7 annex C; PS3.4 table F.7.2-2 for a step that is over.
SUCCESS, FAILED, DUPLICATE, UNKNOWN_STEP, BAD_UID, NO_RESOURCES = 0x0000, 0x0110, 0x0111, 0x0112, 0x0117, 0x0213
OVER_ERROR_ID = 0xA710
_CONFLICT, _NOT_FOUND = 409, 404
Decide = Callable[[StepFacts, str, Desk], Awaitable[Changes]]
Said = tuple[Dataset, Dataset | None]


class Performing:
    """The performed-step side of one port."""

    def __init__(self, inside: Inside, peers: Mapping[str, Peer], admission: Admission, bridge: Bridge) -> None:
        self._inside = inside
        self._peers = peers
        self._admission = admission
        self._bridge = bridge

    def created(self, event: evt.Event) -> Said:
        """A step has begun."""
        request: Any = event.request
        return self._stored(event, str(request.AffectedSOPInstanceUID or ""), new=True)

    def set(self, event: evt.Event) -> Said:
        """A step goes on, is completed, or was discontinued."""
        request: Any = event.request
        return self._stored(event, str(request.RequestedSOPInstanceUID or ""), new=False)

    def _stored(self, event: evt.Event, uid: str, *, new: bool) -> Said:
        peer = self._admission.peer(event)
        if not UID(uid).is_valid:
            return _status(BAD_UID), None
        try:
            zone = self._inside.settings.zone
            said = event.attribute_list if new else event.modification_list
            facts = (begun if new else changed)(said, uid, zone)
        except Unusable as fault:
            return _status(fault.status, f"{fault.attribute} is missing or wrong"), None
        except Exception as problem:  # what bytes of strangers raise in pydicom is no closed list
            _LOG.warning("dicom performed step unreadable", kind=type(problem).__name__, ae_title=peer.ae_title)
            return _status(FAILED, "The attributes cannot be read"), None
        try:
            self._bridge.ask(self._on_record(facts, peer, step_begun if new else step_changed))
        except FhirError as refused:
            return _refusal(refused, new=new), None
        except Exception as problem:  # the database away, say: the scanner is told, and so are we
            kind = str(problem) if isinstance(problem, Gone) else type(problem).__name__
            _LOG.warning("dicom performed step not stored", kind=kind, ae_title=peer.ae_title)
            return _status(NO_RESOURCES, "Not stored, please send it again"), None
        return _status(SUCCESS), None

    async def _on_record(self, facts: StepFacts, peer: Peer, decide: Decide) -> None:
        async def decided(desk: Desk) -> Changes:
            device = await scanner_of_ae(facts.station or peer.ae_title, self._peers, desk)
            return await decide(facts, device, desk)

        await self._inside.act(caller_of(peer.ae_title), "Procedure/$performed-step", decided)


def _refusal(refused: FhirError, *, new: bool) -> Dataset:
    if refused.status == _CONFLICT:
        if new:
            return _status(DUPLICATE)
        over = _status(FAILED, "Performed Procedure Step Object may no longer be updated")
        over.ErrorID = OVER_ERROR_ID
        return over
    if refused.status == _NOT_FOUND:
        return _status(UNKNOWN_STEP)
    return _status(NO_RESOURCES, "Not stored, please send it again")


def _status(code: int, comment: str = "") -> Dataset:
    status = Dataset()
    status.Status = code
    if comment:
        status.ErrorComment = comment[:64]
    return status
