"""Connections that cannot hurt: whatever comes over the port is read in bounds of size and time, or cut off.

pynetdicom reads a PDU with as many bytes as its first six claim and waits for them without end; this stands between
it and the socket. One connection that misbehaves ends alone.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from typing import Any
from weakref import WeakSet

import structlog
from pynetdicom.association import Association
from pynetdicom.transport import AssociationSocket, RequestHandler, ThreadedAssociationServer

from slipring_order.dicom.settings import DicomSettings
from slipring_order.dicom.spool import Spool

_LOG = structlog.get_logger("slipring.dicom")
_HEAD = struct.Struct(">BBL")  # type, reserved, length (PS3.8 9.3)
_DATA, _ASSOCIATE = 0x04, 0x01
_KNOWN = range(0x01, 0x08)
_LARGEST_ASSOCIATE = 131_072  # 128 contexts with all transfer syntaxes there are
_SMALL = 4096  # the other PDUs have ten bytes; some peers pad
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)  # Linux; it holds for what was just received
_FRAME = 12  # what stands around the data of a P-DATA that is as long as was announced


class GuardedSocket:
    """A connected socket whose PDUs arrive within their time and within their size, or it fails like a broken one."""

    def __init__(self, inner: socket.socket, settings: DicomSettings) -> None:
        # A message is at least two PDUs: held back until the first is acknowledged, the second comes 40 ms late.
        inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._inner = inner
        self._settings = settings
        self._head = bytearray()
        self._left = 0  # bytes of the PDU that are still to come
        self._deadline = 0.0
        self._message_bytes = 0  # since we last said something

    def recv(self, size: int) -> bytes:
        """Bytes of the PDU under way; OSError when it is too long, too slow or no PDU."""
        now = time.monotonic()
        if not self._head and not self._left:
            self._deadline = now + self._settings.seconds
        self._inner.settimeout(max(0.001, self._deadline - now))
        data = self._inner.recv(size)
        self._take(data)
        if not self._left:
            self._acknowledge()
        return data

    def send(self, data: bytes) -> int:
        """As the socket's own; a peer that does not read is given up."""
        self._message_bytes = 0
        self._inner.settimeout(self._settings.seconds)
        return self._inner.send(data)

    def _acknowledge(self) -> None:
        """Let the kernel acknowledge at once: a peer that holds its second PDU back for that waits no longer."""
        if _QUICKACK is not None:
            self._inner.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _take(self, data: bytes) -> None:
        if self._left:
            self._left -= len(data)
            return
        self._head += data
        if len(self._head) < _HEAD.size:
            return
        kind, _, length = _HEAD.unpack_from(self._head)
        self._head.clear()
        if kind in _KNOWN and length > self._longest(kind):
            raise OSError("a PDU longer than agreed")
        self._left = length
        self._message_bytes += length
        # What is longer than any object can be is no message any more.
        if self._message_bytes > self._settings.object_bytes + self._settings.pdu_bytes:
            raise OSError("a message without end")

    def _longest(self, kind: int) -> int:
        if kind == _DATA:
            return self._settings.pdu_bytes + _FRAME
        return _LARGEST_ASSOCIATE if kind == _ASSOCIATE else _SMALL

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class PolledSocket(AssociationSocket):
    """An association's socket that may have any number: select(2) knows no descriptor above 1023."""

    @property
    def ready(self) -> bool:
        """Whether something can be read now; a connection that is gone says so by being read."""
        if self.socket is None or not self._is_connected:
            return False
        try:
            poll = select.poll()
            poll.register(self.socket.fileno(), select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            self.event_queue.put("Evt17")
            return False


class GuardedHandler(RequestHandler):
    """Begins an association on a guarded socket."""

    def _create_association(self) -> Association:
        server: Any = self.server
        self.request = GuardedSocket(self.request, server.settings)
        association = super()._create_association()
        association.daemon = association.dul.daemon = True  # the process does not wait for a peer that hangs
        server.connected.add(self.request)
        polled = PolledSocket.__new__(PolledSocket)
        polled.__dict__.update(association.dul.socket.__dict__)
        association.dul.socket = polled
        return association


class GuardedServer(ThreadedAssociationServer):
    """Listens, and lets in so many connections as can be waited for; the others are closed at once."""

    settings: DicomSettings
    spool: Spool
    closed = 0  # connections that found no room
    connected: WeakSet[GuardedSocket]
    daemon_threads = True
    request_queue_size = 64

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is room, also for others: each connection costs two threads until it says who it is."""
        silent = [one for one in self.active_associations if not one.is_established]
        here = sum(str(one.requestor.address) == str(client_address[0]) for one in silent)
        most = self.settings.associations
        if here < max(4, most // 2) and len(silent) < 4 * most:
            return True
        self.closed += 1
        return False

    def cut_off(self) -> None:
        """End every connection: what waits for bytes wakes up."""
        for one in list(self.connected):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def service_actions(self) -> None:
        """Nothing: pynetdicom would collect garbage here, which holds up the whole process."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """One that could not begin is told in one line."""
        _LOG.warning("dicom connection failed", address=str(client_address[0]))
