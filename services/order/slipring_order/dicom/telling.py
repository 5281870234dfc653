"""Says the matches of one C-FIND: the command is the same for all of them and travels with each identifier in one PDU.

pynetdicom would write the command anew for every match and send it in a PDU of its own; a scanner's day costs a tenth
like this. Several values may share a PDU (PS3.8 9.3.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from pynetdicom import evt
from pynetdicom.dimse_messages import C_FIND_RSP
from pynetdicom.dimse_primitives import C_FIND
from pynetdicom.dsutils import encode
from pynetdicom.pdu_primitives import P_DATA

_COMMAND, _IDENTIFIER, _LAST = 0x01, 0x00, 0x02  # message control header (PS3.8 annex E.2)
_AROUND = 6  # bytes of length, context and header around each value


class Telling:
    """The matches of the query that an event brought, all with one pending status."""

    def __init__(self, event: evt.Event, status: int) -> None:
        self._association: Any = event.assoc
        self._context_id: int = event.context.context_id
        self._most = int(self._association.dimse.maximum_pdu_size)
        request: Any = event.request
        said = C_FIND()
        said.MessageIDBeingRespondedTo, said.AffectedSOPClassUID = request.MessageID, request.AffectedSOPClassUID
        said.Status, said.Identifier = status, BytesIO(b"\0")  # that there is one is part of the command
        message = C_FIND_RSP()
        message.primitive_to_message(said)
        self._command = encode(message.command_set, True, True) or b""

    def say(self, identifier: bytes) -> bool:
        """Send one match; False when nobody listens any more."""
        if not self._association.is_established:
            return False
        for values in in_pdus(self._command, identifier, self._most):
            data = P_DATA()
            data.presentation_data_value_list = [[self._context_id, value] for value in values]  # type: ignore[misc]
            self._association.dul.send_pdu(data)
        return True


def in_pdus(command: bytes, identifier: bytes, most: int) -> Iterator[list[bytes]]:
    """The values of a message PDU by PDU, none longer than the peer takes (0: whatever the length).

    >>> [[len(value) for value in values] for values in in_pdus(bytes(90), bytes(100), 0)]
    [[91, 101]]
    >>> [[len(value) for value in values] for values in in_pdus(bytes(90), bytes(100), 106)]
    [[91], [101]]
    """
    head = bytes([_COMMAND | _LAST]) + command
    if most == 0 or len(command) + len(identifier) + 2 * _AROUND <= most:
        yield [head, bytes([_IDENTIFIER | _LAST]) + identifier]
        return
    yield [head]
    room = most - _AROUND
    for begin in range(0, len(identifier), room):
        last = _LAST if begin + room >= len(identifier) else 0
        yield [bytes([_IDENTIFIER | last]) + identifier[begin : begin + room]]
