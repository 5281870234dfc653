"""Who may associate: known AE titles from their own addresses, who call us by our name, and not too many at once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import structlog
from pynetdicom import evt

from slipring_order.dicom.settings import DicomSettings, Peer

_LOG = structlog.get_logger("slipring.dicom")
# Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 table 9-21).
CALLER_UNKNOWN = (0x01, 0x01, 0x03)
CALLED_UNKNOWN = (0x01, 0x01, 0x07)
LIMIT_REACHED = (0x02, 0x03, 0x02)
Rejection = tuple[int, int, int]


def rejection(
    settings: DicomSettings, calling: str, called: str, address: str, established: int
) -> tuple[Rejection, str] | None:
    """Why an association is rejected, with a word for the log; None when it is let in."""
    peer = settings.peers.get(calling)
    if peer is None:
        return CALLER_UNKNOWN, "calling AE title not on the list"
    if not peer.may_call_from(address):
        return CALLER_UNKNOWN, "not from this address"
    if called != settings.ae_title:
        return CALLED_UNKNOWN, "called AE title is not ours"
    if established >= settings.associations:
        return LIMIT_REACHED, "too many associations"
    return None


class Admission:
    """Judges each association before it is negotiated, and counts what it turned away."""

    def __init__(self, settings: DicomSettings) -> None:
        self._settings = settings
        self.rejected: Counter[str] = Counter()

    def requested(self, event: evt.Event) -> None:
        """Reject what may not be; whatever goes wrong here, pynetdicom's own list of callers stands behind it."""
        association: Any = event.assoc
        asked = association.requestor.primitive
        calling, called = str(asked.calling_ae_title).strip(), str(asked.called_ae_title).strip()
        address = str(association.requestor.address)
        server = association._server
        established = sum(one.is_established for one in server.active_associations) if server else 0
        refused = rejection(self._settings, calling, called, address, established)
        if refused is None:
            return
        code, reason = refused
        self.rejected[reason] += 1
        _LOG.warning("dicom association rejected", reason=reason, address=address)
        association.acse.send_reject(*code)
        association.kill()

    def peer(self, event: evt.Event) -> Peer:
        """Who speaks in an association that was let in."""
        return self._settings.peers[str(event.assoc.requestor.ae_title).strip()]
