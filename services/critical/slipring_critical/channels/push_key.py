"""The key by which browsers' push services know us (VAPID, RFC 8292): made once, kept in the data folder."""

from __future__ import annotations

import contextlib
import os
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

_NAME = "push-key.pem"


def push_key(data_dir: Path) -> EllipticCurvePrivateKey:
    """The key on P-256; of several processes that need it first one makes it."""
    path = data_dir / _NAME
    if not path.exists():
        _make(path)
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError(f"{_NAME} is no key on an elliptic curve")
    return key


def as_application_server_key(key: EllipticCurvePrivateKey) -> str:
    """What a browser is given when it subscribes: the public point, uncompressed, base64url without padding."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point).rstrip(b"=").decode()


def _make(path: Path) -> None:
    text = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    half = path.with_name(f".{_NAME}.{secrets.token_hex(8)}")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(half, path)  # unlike a rename, a link never overwrites: the first one stays
    finally:
        half.unlink()
