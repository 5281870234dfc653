"""What a signature says of itself in a proof: the signer's certificate, and the stamp of an outside authority. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from slipring.signing.jws import header_of
from slipring.signing.revocation import fingerprint
from slipring.signing.time_stamp import TIME_STAMP, TimeStampRefused, stated_at


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


def stamped(record: Mapping[str, Any], jws: str) -> tuple[dict[str, str], list[str]]:
    """The time that a stamp on a signature's record states, and reasons against it; nothing where there is no stamp.

    Whether its authority is to be trusted is not said: that takes the roots of time stamping authorities.
    """
    kept = [one.get("valueBase64Binary") for one in record.get("extension", []) if one.get("url") == TIME_STAMP]
    if not kept:
        return {}, []
    try:
        at = stated_at(base64.b64decode(str(kept[0]), validate=True), jws)
    except (TimeStampRefused, binascii.Error):
        return {}, ["time-stamp-differs"]
    return {"stamp": at.isoformat(timespec="seconds")}, []
