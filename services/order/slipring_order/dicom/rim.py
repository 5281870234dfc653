"""The DICOM port of the order service: it listens as long as the service runs, and answers through the bridge."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import cast
from weakref import WeakSet

import pydicom.config
import structlog
from pynetdicom import AE, _config, evt
from slipring.fhir.beside import Inside, Sign
from slipring.runtime.settings import BadSettings

from slipring_order.dicom.admission import Admission
from slipring_order.dicom.asking import Asking
from slipring_order.dicom.bridge import Bridge
from slipring_order.dicom.connection import GuardedHandler, GuardedServer
from slipring_order.dicom.contexts import supported_contexts
from slipring_order.dicom.intake import Intake
from slipring_order.dicom.performing import Performing
from slipring_order.dicom.receiving import Storing, receive_into_spools
from slipring_order.dicom.settings import DicomSettings
from slipring_order.dicom.spool import Spool

_LOG = structlog.get_logger("slipring.dicom")
_SUCCESS = 0x0000
_LEAVE_SECONDS = 3.0  # for what is under way when we stop
_ABORT_SECONDS = 0.2  # for what we say as the last word
_ANSWER_SECONDS = 20.0
_FULL, _NEARLY = 99.0, 80.0  # % of the spool
_LATE_SECONDS = 300.0


class Rim:
    """Implements `slipring.fhir.beside.Beside` with pynetdicom."""

    def __init__(self, inside: Inside, settings: DicomSettings) -> None:
        if inside.demo and not _loopback(settings.host):
            raise BadSettings("A demo listens on loopback only: SLIPRING_DICOM_HOST. 演示模式仅监听本机。")
        self._inside = inside
        self._settings = settings
        self._admission = Admission(settings)
        self._spool = Spool(settings.spool or inside.data_dir / "dicom", settings.spool_bytes)
        self._intake = Intake(inside, self._spool, settings)
        self._storing = Storing(self._spool, lambda event: self._admission.peer(event).ae_title, self._arrived)
        self._working: asyncio.Task[None] | None = None
        self._measuring: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: GuardedServer | None = None
        self._thread: threading.Thread | None = None
        self._bridge: Bridge | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1]) if self._server else 0

    async def start(self) -> None:
        """Bind the port, listen, and work off what a process before this one was sent."""
        _quiet()
        receive_into_spools()
        self._loop = asyncio.get_running_loop()
        self._bridge = Bridge(self._loop, _ANSWER_SECONDS)
        await asyncio.to_thread(self._spool.open)
        try:
            self._server = self._listening(self._handlers(self._bridge))
        except OSError as problem:
            raise BadSettings(
                f"SLIPRING_DICOM_PORT: port {self._settings.port} of {self._settings.host} cannot be used "
                f"({problem.strerror}). 该端口无法使用。"
            ) from None
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.2,), name="dicom", daemon=True)
        self._thread.start()
        self._working = asyncio.create_task(self._intake.run())
        self._measuring = asyncio.create_task(self._intake.phantoms.run())
        _LOG.info("dicom port open", host=self._settings.host, port=self.port, ae_title=self._settings.ae_title)

    async def stop(self) -> None:
        """Listen no more, let what is under way end, then cut the rest off."""
        if self._server is not None:
            await asyncio.to_thread(self._leave, self._server)
        if self._bridge is not None:
            self._bridge.close()
        for task in (self._working, self._measuring):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def signs(self) -> Iterator[Sign]:
        """Whether the port is open, and how many speak with us."""
        listening = self._thread is not None and self._thread.is_alive()
        yield Sign("dicom:port", "pass" if listening else "fail", self.port)
        if self._server is not None:
            established = sum(one.is_established for one in self._server.active_associations)
            full = established >= self._settings.associations
            yield Sign("dicom:associations", "warn" if full else "pass", established)
            yield Sign("dicom:turnedAway", "pass", self._server.closed + self._admission.rejected.total())

        yield from self._spool_signs()

    def _spool_signs(self) -> Iterator[Sign]:
        share = 100 * self._spool.held_bytes / self._settings.spool_bytes
        yield Sign("dicom:spool", "fail" if share >= _FULL else "warn" if share >= _NEARLY else "pass", share, "%")
        late = self._intake.oldest_seconds
        yield Sign("dicom:oldestWaiting", "warn" if late >= _LATE_SECONDS else "pass", late, "s")
        refused = self._spool.refused()
        yield Sign("dicom:putAside", "warn" if refused else "pass", refused)
        nobody = self._intake.phantoms.without_scanner
        yield Sign("dicom:phantomsOfNoScanner", "warn" if nobody else "pass", nobody)
        for name, task, waiting in (
            ("dicom:intake", self._working, self._intake.waiting),
            ("dicom:phantoms", self._measuring, self._intake.phantoms.waiting),
        ):
            yield Sign(name, "pass" if task is not None and not task.done() else "fail", waiting)

    def _arrived(self) -> None:
        """From a thread of an association: wake the worker."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._intake.wake)

    def _handlers(self, bridge: Bridge) -> list[evt.EventHandlerType]:
        asking = Asking(self._inside, self._settings.peers, self._admission, bridge)
        performing = Performing(self._inside, self._settings.peers, self._admission, bridge)
        return [
            (evt.EVT_C_FIND, asking.found),
            (evt.EVT_N_CREATE, performing.created),
            (evt.EVT_N_SET, performing.set),
            (evt.EVT_REQUESTED, self._admission.requested),
            (evt.EVT_C_ECHO, _echoed),
            (evt.EVT_C_STORE, self._storing.stored),
            (evt.EVT_CONN_CLOSE, self._storing.ended),
        ]

    def _listening(self, handlers: list[evt.EventHandlerType]) -> GuardedServer:
        settings = self._settings
        entity = AE(settings.ae_title)
        entity.require_called_aet = True
        entity.require_calling_aet = [*settings.peers] or ["-"]
        entity.maximum_associations = 1_000_000  # ours to judge: theirs counts those that have not said who they are
        entity.maximum_pdu_size = settings.pdu_bytes
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = settings.seconds
        entity.supported_contexts = supported_contexts()
        server = cast(
            GuardedServer,
            entity.make_server(
                (settings.host, settings.port),
                evt_handlers=handlers,
                server_class=GuardedServer,
                request_handler=GuardedHandler,
            ),
        )
        server.settings = settings
        server.spool = self._spool
        server.connected = WeakSet()
        entity._servers.append(server)
        return server

    def _leave(self, server: GuardedServer) -> None:
        server.shutdown()
        until = time.monotonic() + _LEAVE_SECONDS
        while any(one.is_established for one in server.active_associations) and time.monotonic() < until:
            time.sleep(0.05)
        for association in server.active_associations:
            threading.Thread(target=association.abort, daemon=True).start()
        time.sleep(_ABORT_SECONDS)
        server.cut_off()


def _echoed(event: evt.Event) -> int:
    """Verification (PS3.4 annex A)."""
    return _SUCCESS


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _quiet() -> None:
    """What the libraries say about a dataset may hold a patient's data: they say nothing."""
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    _config.LOG_HANDLER_LEVEL = "none"
    _config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
