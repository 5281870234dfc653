"""What a department sets about its DICOM port: where it listens, who may call, and how much is taken."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

from slipring.runtime.settings import BadSettings

UTF8 = "ISO_IR 192"
CHARACTER_SETS = (UTF8, "GB18030", "GBK", "ISO_IR 100")
_AE_LENGTH = 16  # PS3.5 table 6.2-1, AE
_MEGABYTE = 1_000_000
_MEMBERS = frozenset({"ae_title", "device", "character_set", "from"})


@dataclass(frozen=True, slots=True)
class Peer:
    """Who may call us: a scanner or another system, by its AE title."""

    ae_title: str
    device: str = ""  # "Device/o-..."; empty: the Device that carries the AE title as identifier
    character_set: str = ""  # what it is answered in; empty: what it asks for, else ISO_IR 192
    networks: tuple[IPv4Network | IPv6Network, ...] = ()  # where it may call from; empty: anywhere

    def may_call_from(self, address: str) -> bool:
        """Whether a connection from this address may be it."""
        try:
            called = ip_address(address.partition("%")[0])
        except ValueError:
            return not self.networks
        called = getattr(called, "ipv4_mapped", None) or called
        return not self.networks or any(called in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class DicomSettings:
    """The DICOM port of one order process; port 0 means that there is none."""

    port: int = 0
    host: str = "127.0.0.1"
    ae_title: str = "SLIPRING"
    peers: Mapping[str, Peer] = field(default_factory=dict)
    associations: int = 20
    seconds: float = 30.0  # how long a peer may take for a PDU, and be silent
    pdu_bytes: int = 131_072
    object_bytes: int = 2_000 * _MEGABYTE
    spool: Path | None = None  # None: `dicom` in the data directory
    spool_bytes: int = 20_000 * _MEGABYTE
    phantoms: tuple[str, ...] = ("QA*", "QC*", "PHANTOM*")  # patient ids of phantoms, * and ? as in DICOM

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> DicomSettings:
        """Read the SLIPRING_DICOM_ variables."""
        found = os.environ if environ is None else environ
        default = cls()
        peers = found.get("SLIPRING_DICOM_PEERS", "").strip()
        spool = found.get("SLIPRING_DICOM_SPOOL", "").strip()
        phantoms = found.get("SLIPRING_DICOM_PHANTOMS", "").strip()
        return cls(
            port=_whole(found, "SLIPRING_DICOM_PORT", default.port, least=0, most=65535),
            host=found.get("SLIPRING_DICOM_HOST", "").strip() or default.host,
            ae_title=_ae(found.get("SLIPRING_DICOM_AE_TITLE", "").strip() or default.ae_title),
            peers=peers_of(Path(peers).expanduser()) if peers else {},
            associations=_whole(found, "SLIPRING_DICOM_ASSOCIATIONS", default.associations, most=500),
            seconds=_whole(found, "SLIPRING_DICOM_SECONDS", int(default.seconds), most=3600),
            pdu_bytes=_whole(found, "SLIPRING_DICOM_PDU_BYTES", default.pdu_bytes, least=4096, most=16 * _MEGABYTE),
            object_bytes=_whole(found, "SLIPRING_DICOM_OBJECT_MB", default.object_bytes // _MEGABYTE) * _MEGABYTE,
            spool=Path(spool).expanduser() if spool else None,
            spool_bytes=_whole(found, "SLIPRING_DICOM_SPOOL_MB", default.spool_bytes // _MEGABYTE) * _MEGABYTE,
            phantoms=tuple(one.strip() for one in phantoms.split(",") if one.strip()) or default.phantoms,
        )


def peers_of(path: Path) -> dict[str, Peer]:
    """The callers that a file names, by AE title; what cannot be meant is refused at the start."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))["peer"]
        return {peer.ae_title: peer for peer in map(_peer, entries)}
    except OSError:
        raise BadSettings(f"SLIPRING_DICOM_PEERS: {path} cannot be read. 无法读取该文件。") from None
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise BadSettings(f"SLIPRING_DICOM_PEERS: {path}: {problem}. 内容有误。") from None


def _peer(entry: Mapping[str, Any]) -> Peer:
    if strange := set(entry) - _MEMBERS:
        raise ValueError(f"{', '.join(sorted(strange))}: known are {', '.join(sorted(_MEMBERS))}")
    character_set = str(entry.get("character_set", ""))
    if character_set and character_set not in CHARACTER_SETS:
        raise ValueError(f"character_set is one of {', '.join(CHARACTER_SETS)}")
    device = str(entry.get("device", ""))
    if device and not device.startswith("Device/"):
        raise ValueError("device is a reference such as Device/o-1")
    networks: Sequence[str] = entry.get("from", ())
    return Peer(
        _ae(str(entry["ae_title"])), device, character_set, tuple(ip_network(one, strict=False) for one in networks)
    )


def _ae(title: str) -> str:
    if not 0 < len(title) <= _AE_LENGTH or not title.isascii() or not title.isprintable() or "\\" in title:
        raise BadSettings(f"An AE title has 1 to {_AE_LENGTH} printable ASCII characters without a backslash.")
    return title


def _whole(found: Mapping[str, str], name: str, default: int, *, least: int = 1, most: int = 10**9) -> int:
    text = found.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise BadSettings(f"{name} must be a whole number from {least} to {most}.")
    return int(text)
