"""What a signature says of itself in a proof: the signer's certificate, and the stamp of an outside authority. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from slipring.signing.jws import header_of
from slipring.signing.policy import clock_tolerance
from slipring.signing.revocation import fingerprint
from slipring.signing.time_stamp import TIME_STAMP, TimeStampRefused, stamped_at, stated_at

STATED, PROVED = "stated", "proved"  # by itself, by the roots of its authority


def certificate_facts(jws: str) -> dict[str, str]:
    """Name, issuer, serial number (hex), last day and SHA-256 of the signer's certificate; nothing of one that cannot be read."""
    header = header_of(jws)
    try:
        der = base64.b64decode(header["x5c"][0]) if isinstance(header, dict) else b""
        certificate = x509.load_der_x509_certificate(der)
        return {
            "name": _called(certificate.subject),
            "issuer": _called(certificate.issuer),
            "serial": f"{certificate.serial_number:x}",
            "until": certificate.not_valid_after_utc.isoformat(timespec="seconds"),
            "certificate": fingerprint(certificate),
        }
    except (ValueError, LookupError, TypeError):
        return {}


def _called(name: x509.Name) -> str:
    return next((str(one.value) for one in name.get_attributes_for_oid(NameOID.COMMON_NAME)), "")


def stamped(
    record: Mapping[str, Any], jws: str, roots_pem: bytes = b"", recorded: datetime | None = None
) -> tuple[dict[str, str], list[str]]:
    """The time of a stamp on a signature's record, and reasons against it; nothing where there is no stamp.

    With the roots of time stamping authorities the stamp is judged and `stamped` says by whom it was proved; without, its
    time is what it states. It may come late, never before the signature was `recorded`.
    """
    kept = [one.get("valueBase64Binary") for one in record.get("extension", []) if one.get("url") == TIME_STAMP]
    if not kept:
        return {}, []
    try:
        reply = base64.b64decode(str(kept[0]), validate=True)
        at = stamped_at(reply, jws, roots_pem) if roots_pem else stated_at(reply, jws)
    except TimeStampRefused as refused:
        return {}, [f"time-stamp-{refused.code}"]
    except binascii.Error:
        return {}, ["time-stamp-unreadable"]
    told = {"stamp": at.isoformat(timespec="seconds"), "stamped": PROVED if roots_pem else STATED}
    early = recorded is not None and at < recorded - clock_tolerance()
    return told, ["time-stamp-early"] if early else []
