"""Answers C-FIND on the worklist: reads the identifier, asks the service, and says its matches one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import structlog
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import evt
from slipring.fhir.beside import Inside
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Desk

from slipring_order.dicom.admission import Admission
from slipring_order.dicom.bridge import Bridge, Gone
from slipring_order.dicom.entry import Entry
from slipring_order.dicom.finding import found_entries
from slipring_order.dicom.intake import caller_of
from slipring_order.dicom.keys import BadKey
from slipring_order.dicom.settings import Peer
from slipring_order.dicom.telling import Telling
from slipring_order.dicom.worklist import Answering, Asked, read_identifier

_LOG = structlog.get_logger("slipring.dicom")
# PS3.4 table K.4-1, C.4-1.
PENDING, PENDING_WITH_UNKNOWN_KEYS, CANCELLED = 0xFF00, 0xFF01, 0xFE00
OUT_OF_RESOURCES, MISMATCH, UNABLE = 0xA700, 0xA900, 0xC001
Said = tuple[int, Dataset | None]


class Asking:
    """The worklist side of one port."""

    def __init__(self, inside: Inside, peers: Mapping[str, Peer], admission: Admission, bridge: Bridge) -> None:
        self._inside = inside
        self._peers = peers
        self._admission = admission
        self._bridge = bridge

    def found(self, event: evt.Event) -> Iterator[Said]:
        """Say every match; what is left to pynetdicom is the last word, or the one status that says why there is none."""
        peer = self._admission.peer(event)
        try:
            asked = read_identifier(event.identifier)
        except BadKey:
            yield MISMATCH, None
            return
        except Exception as problem:  # what bytes of strangers raise in pydicom is no closed list
            _LOG.warning("dicom worklist query unreadable", kind=type(problem).__name__, ae_title=peer.ae_title)
            yield UNABLE, None
            return
        status = PENDING_WITH_UNKNOWN_KEYS if asked.unknown else PENDING
        try:
            entries = self._bridge.ask(self._entries(asked, peer))
        except (Gone, FhirError) as problem:
            too_many = isinstance(problem, FhirError)
            _LOG.warning("dicom worklist not answered", kind=type(problem).__name__, ae_title=peer.ae_title)
            yield (OUT_OF_RESOURCES if too_many else UNABLE), None
            return
        except Exception as problem:  # the database away, say: the scanner is told, and so are we
            _LOG.warning("dicom worklist not answered", kind=type(problem).__name__, ae_title=peer.ae_title)
            yield UNABLE, None
            return
        answering, telling = Answering(asked, peer.character_set), Telling(event, status)
        syntax = UID(event.context.transfer_syntax)
        for entry in entries:
            if event.is_cancelled:
                yield CANCELLED, None
                return
            if not telling.say(answering.answer(entry, syntax)):
                return

    async def _entries(self, asked: Asked, peer: Peer) -> list[Entry]:
        async def ask(desk: Desk) -> tuple[list[Entry], Sequence[str]]:
            return await found_entries(asked, self._peers, desk)

        names = [*asked.keys, *asked.step_keys]
        return await self._inside.look(caller_of(peer.ae_title), "Task", names, ask)
