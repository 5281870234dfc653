"""What can be seen on the machine itself: keys, certificates, disk, clock."""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509

from slipring.client.token import MissingKeys, read_key_file
from slipring.identity.clients import SERVICES
from slipring.identity.keys import key_file
from slipring.signing.certificate import ISSUING
from slipring.signing.revocation import read_lists
from slipring.upkeep.doctor.remark import Level, Remark, graded

_TIME_ERROR = 5  # ntp_gettime(3): the kernel's clock is not disciplined by anything
_TIMEVAL_BYTES = 256  # more than any libc writes
_GIGABYTE = 1e9


def look_at_keys(data_dir: Path) -> Iterator[Remark]:
    """Every key file: there, readable as a key, and by nobody else."""
    folder = data_dir / "keys"
    for service in SERVICES:
        if not key_file(data_dir, f"slipring-{service}").exists():
            yield Remark("key-missing", Level.BAD, f"slipring-{service}", str(folder))
    private = [*folder.glob("*.jwk.json"), *(data_dir / "signing").glob("*.key")]
    for path in sorted(private):
        if path.stat().st_mode & 0o077:
            yield Remark("key-open", Level.BAD, path.name, f"{path.stat().st_mode & 0o777:04o}")
    for path in sorted(folder.glob("*.jwk.json")):
        try:
            read_key_file(path)
        except (MissingKeys, PermissionError):
            yield Remark("key-unreadable", Level.BAD, path.name)
    if private:
        yield Remark("keys-there", Level.OK, str(folder), f"{len(private)}")


def look_at_certificates(root: Path, lists: Sequence[Path], now: datetime) -> Iterator[Remark]:
    """How long the roots that signatures are judged against, the issuing key and the revocation lists still hold."""
    try:
        certificates = x509.load_pem_x509_certificates(root.read_bytes())
    except FileNotFoundError:
        yield Remark("certificate-missing", Level.WARN, str(root))
        return
    except (ValueError, OSError):
        yield Remark("certificate-unreadable", Level.BAD, str(root))
        return
    for certificate in certificates:
        yield _days_left(certificate.not_valid_after_utc, root.name, now)
    issuing = root.with_name(ISSUING)
    if issuing.exists():
        certificate = x509.load_pem_x509_certificates(issuing.read_bytes())[0]
        yield _days_left(certificate.not_valid_after_utc, issuing.name, now)
    for path in lists:
        yield from _look_at_list(path, now)


def _look_at_list(path: Path, now: datetime) -> Iterator[Remark]:
    try:
        found = read_lists(path.read_bytes())
    except (ValueError, OSError):
        yield Remark("revocation-list-unreadable", Level.BAD, str(path))
        return
    for one in found:
        if one.next_update_utc is not None and one.next_update_utc < now:
            yield Remark("revocation-list-old", Level.WARN, path.name, f"{one.next_update_utc:%Y-%m-%d %H:%M}Z")


def _days_left(ends: datetime, name: str, now: datetime) -> Remark:
    days = (ends - now).days
    return graded("certificate-days", days, name, f"{days} d", low=True)


def look_at_disk(data_dir: Path) -> Iterator[Remark]:
    """Room for the embedded database, keys and logs; another server's disk is not seen from here."""
    there = next(folder for folder in (data_dir, *data_dir.parents) if folder.exists())
    usage = shutil.disk_usage(there)
    share, room = 100 * usage.free / usage.total, usage.free / _GIGABYTE
    seen = f"{room:.1f} GB, {share:.0f} %"
    worst = min(
        graded("disk-share", share, str(there), seen, low=True),
        graded("disk-room", room, str(there), seen, low=True),
        key=lambda remark: [Level.BAD, Level.WARN, Level.OK].index(remark.level),
    )
    yield worst


def look_at_ntp() -> Iterator[Remark]:
    """Whether anything keeps this machine's clock right, as the kernel knows it."""
    try:
        libc = ctypes.CDLL(None)
        state = libc.ntp_gettime(ctypes.create_string_buffer(_TIMEVAL_BYTES))
    except (OSError, AttributeError):  # not a libc that has it
        yield Remark("ntp-unseen", Level.UNSEEN)
        return
    if state < 0:
        yield Remark("ntp-unseen", Level.UNSEEN)
        return
    yield Remark("ntp-off", Level.WARN) if state == _TIME_ERROR else Remark("ntp", Level.OK)
