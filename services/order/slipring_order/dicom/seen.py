"""What the doctor sees of the DICOM port without asking the process: settings, whether it answers, what lies in the spool."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

from slipring.fhir.beside import Seen
from slipring.runtime.settings import BadSettings

from slipring_order.dicom.settings import DicomSettings

_PATIENCE_SECONDS = 3.0
_NEARLY, _FULL = 80, 99  # % of what may lie in the spool


def dicom_seen(data_dir: Path) -> Sequence[Seen]:
    """Everything there is to say; nothing when no port is set."""
    try:
        settings = DicomSettings.from_env()
    except BadSettings as problem:
        return [Seen("dicom-settings", "bad", "SLIPRING_DICOM_", str(problem))]
    return list(_port(settings, data_dir)) if settings.port else []


def _port(settings: DicomSettings, data_dir: Path) -> Iterator[Seen]:
    if not settings.peers:
        yield Seen("dicom-nobody", "bad", "SLIPRING_DICOM_PEERS")
    about = f"{settings.ae_title}@{settings.host}:{settings.port}"
    try:
        socket.create_connection((settings.host, settings.port), _PATIENCE_SECONDS).close()
        yield Seen("dicom-open", "ok", about, f"{len(settings.peers)}")
    except OSError:
        yield Seen("dicom-silent", "bad", about)
    yield from _spool(settings, settings.spool or data_dir / "dicom")


def _spool(settings: DicomSettings, folder: Path) -> Iterator[Seen]:
    held = [path.stat().st_size for path in folder.rglob("*.dcm") if path.is_file()] if folder.exists() else []
    share = 100 * sum(held) // settings.spool_bytes
    if share >= _NEARLY:
        yield Seen("dicom-spool", "bad" if share >= _FULL else "warn", str(folder), f"{share} %")
    aside = len(list((folder / "refused").glob("*.dcm"))) if folder.exists() else 0
    if aside:
        yield Seen("dicom-aside", "warn", str(folder / "refused"), f"{aside}")
