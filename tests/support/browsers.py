"""A browser that has subscribed to push messages, and reads them as a browser does."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDH, SECP256R1, EllipticCurvePublicKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def a_browser() -> tuple[Any, bytes, str]:
    """A browser's keys and the fragment that tells of them."""
    key, auth = generate_private_key(SECP256R1()), b"0123456789abcdef"
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    told_of = {"p256dh": point, "auth": auth}
    return key, auth, "#" + "&".join(f"{n}={urlsafe_b64encode(v).rstrip(b'=').decode()}" for n, v in told_of.items())


def decrypted(body: bytes, key: Any, auth: bytes) -> Any:
    """As the browser does (RFC 8188, RFC 8291 3.4)."""
    salt, size = body[:16], body[20]
    sender, text = body[21 : 21 + size], body[21 + size :]
    shared = key.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), sender))
    own = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
        return HKDF(hashes.SHA256(), length, salt, info).derive(secret)

    secret = derived(shared, auth, b"WebPush: info\0" + own + sender, 32)
    content = derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    return json.loads(AESGCM(content).decrypt(nonce, text, None).rstrip(b"\2"))
