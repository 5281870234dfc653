"""New keys for the department's authority: an issuing key before the old one ends, a root before the old one ends.

Nothing that was signed falls: every root stays in `root.pem`, so that chains under an old one are judged as of their
time, and the certificates that people hold go on until they end. Replaced keys keep their files, under the fingerprint
of their certificate: the old issuing key still signs the revocation list of what it issued.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from slipring.signing.certificate import (
    ISSUING,
    ISSUING_KEY,
    ROOT_KEY,
    ROOTS,
    Authority,
    as_pem,
    key_pem,
    make_issuing,
    make_root,
    read_authority,
    write_private,
)
from slipring.signing.chain import CertificateRefused
from slipring.signing.revocation import fingerprint

_SHOWN = 12  # digits of a fingerprint in a file's name


def renew_issuing(folder: Path, root_key: bytes, *, now: datetime) -> Authority:
    """Put a fresh issuing key under the newest root, whose private key is given: it may have been kept offline."""
    root = x509.load_pem_x509_certificates((folder / ROOTS).read_bytes())[0]
    key = serialization.load_pem_private_key(root_key, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != root.public_key():
        raise CertificateRefused("root-key-differs")
    _set_aside(folder, ISSUING_KEY, ISSUING)
    make_issuing(folder, key, root, now)
    return read_authority(folder)


def rotate_root(folder: Path, *, now: datetime) -> Authority:
    """Make a new root and an issuing key under it; the old root stays trusted, and old chains stay valid."""
    roots = (folder / ROOTS).read_bytes()
    key, root = make_root(now)
    if (folder / ISSUING_KEY).exists():
        _set_aside(folder, ISSUING_KEY, ISSUING)
    else:  # the old root issued itself: its key still signs the list of what it issued
        write_private(folder / f"issuing-{_mark(roots)}.pem", roots)
        if (folder / ROOT_KEY).exists():
            write_private(folder / f"issuing-{_mark(roots)}.key", (folder / ROOT_KEY).read_bytes())
    if (folder / ROOT_KEY).exists():
        (folder / ROOT_KEY).rename(folder / f"root-{_mark(roots)}.key")
    write_private(folder / ROOT_KEY, key_pem(key))
    fresh = folder / f".{ROOTS}"
    fresh.unlink(missing_ok=True)
    write_private(fresh, as_pem(root) + roots)
    fresh.replace(folder / ROOTS)  # whoever judges at this moment reads the one or the other, never half of it
    make_issuing(folder, key, root, now)
    return read_authority(folder)


def authorities(folder: Path) -> list[Authority]:
    """Every authority whose key lies here, the one in use first."""
    found = [read_authority(folder)]
    for path in sorted(folder.glob("issuing-*.key")):
        found.append(Authority(path.read_bytes(), found[0].certificate_pem, path.with_suffix(".pem").read_bytes()))
    return found


def _set_aside(folder: Path, key: str, certificate: str) -> None:
    if not (folder / key).exists():
        return
    mark = _mark((folder / certificate).read_bytes())
    (folder / key).rename(folder / f"issuing-{mark}.key")
    (folder / certificate).rename(folder / f"issuing-{mark}.pem")


def _mark(pem: bytes) -> str:
    return fingerprint(x509.load_pem_x509_certificates(pem)[0])[:_SHOWN]
