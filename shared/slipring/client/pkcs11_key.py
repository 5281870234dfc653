"""A key that never leaves its token (smart card, HSM): signed with through PKCS#11 (OASIS, v2.40 and 3.0).

Needs the extra `slipring[pkcs11]`. ECDSA is asked for over a digest made here: tokens that hash themselves are rare.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from slipring.client.signing_keys import KeyRefused, not_the_same, own_certificate
from slipring.signing.algorithms import algorithm

_HASHES: dict[str, Callable[[bytes], Any]] = {"ES256": hashlib.sha256, "ES384": hashlib.sha384}


class TokenKey:
    """The private key of this label on a token, with the certificate chain that vouches for it. Use it in a `with`."""

    def __init__(self, module: Path, label: str, chain_pem: bytes, pin: Callable[[], str], token: str = "") -> None:
        self.chain_pem = chain_pem
        self.algorithm = _algorithm_of(chain_pem)
        self._session = open_token(module, token, pin)
        try:
            self._key = private_key_of(self._session, label)
            self._proved()
        except KeyRefused:
            self._session.close()
            raise

    def __enter__(self) -> TokenKey:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def sign(self, signed: bytes) -> bytes:
        """The signature as a JWS carries it: r and s side by side for ECDSA (RFC 7518 3.4), which is what tokens give."""
        import pkcs11

        of, sha256 = pkcs11.Mechanism, pkcs11.Mechanism.SHA256
        try:
            if made := _HASHES.get(self.algorithm):
                return bytes(self._key.sign(made(signed).digest(), mechanism=of.ECDSA))
            if self.algorithm == "EdDSA":
                return bytes(self._key.sign(signed, mechanism=of.EDDSA))
            parameters = (sha256, pkcs11.MGF.SHA256, 32)  # RFC 7518 3.5
            return bytes(self._key.sign(signed, mechanism=of.SHA256_RSA_PKCS_PSS, mechanism_param=parameters))
        except pkcs11.PKCS11Error as problem:
            raise KeyRefused(
                f"令牌未能签名（{name_of(problem)}）。 The token did not sign ({name_of(problem)})."
            ) from problem

    def _proved(self) -> None:
        """One signature that nobody keeps: a key that the certificate does not vouch for is found out before the report is shown."""
        certificate = own_certificate(self.chain_pem).public_bytes(serialization.Encoding.DER)
        way, probe = algorithm(self.algorithm), b"slipring: is this the key of the certificate?"
        if way is None or not way.verify(certificate, probe, self.sign(probe)):
            raise not_the_same()


def _algorithm_of(chain_pem: bytes) -> str:
    key = own_certificate(chain_pem).public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        name = {"secp256r1": "ES256", "secp384r1": "ES384"}.get(key.curve.name, "")
    else:
        name = {rsa.RSAPublicKey: "PS256", ed25519.Ed25519PublicKey: "EdDSA"}.get(_kind(key), "")
    if not name:
        raise KeyRefused("不支持此类密钥。 No signature algorithm fits this kind of key.")
    return name


def _kind(key: object) -> Any:
    return next((kind for kind in (rsa.RSAPublicKey, ed25519.Ed25519PublicKey) if isinstance(key, kind)), None)


def open_token(module: Path, token: str, pin: Callable[[], str]) -> Any:
    """A session on the one token that is meant; KeyRefused where there is none, or where it does not open."""
    try:
        import pkcs11
    except ImportError as problem:
        raise KeyRefused(
            "未安装 PKCS#11 支持：pip install 'slipring[pkcs11]'。 PKCS#11 support is not installed: pip install 'slipring[pkcs11]'."
        ) from problem
    try:
        library = pkcs11.lib(str(module))
        tokens = [one.get_token() for one in library.get_slots(token_present=True)]
        named = [one for one in tokens if not token or one.label == token]
        if not token:
            named = [one for one in named if one.flags & pkcs11.TokenFlag.TOKEN_INITIALIZED]
        if len(named) != 1:
            labels = ", ".join(repr(one.label) for one in tokens) or "-"
            raise KeyRefused(
                f"找到 {len(named)} 个令牌，须为 1 个（现有：{labels}）：请用 --token 指明。"
                f" {len(named)} tokens found, one is needed (there are: {labels}): name it by --token."
            )
        return named[0].open(user_pin=pin())
    except (pkcs11.PKCS11Error, RuntimeError) as problem:
        raise KeyRefused(
            f"令牌未打开（{name_of(problem)}）。 The token did not open ({name_of(problem)})."
        ) from problem


def private_key_of(session: Any, label: str) -> Any:
    """The one private key of a label; KeyRefused where there is none, or are several."""
    import pkcs11

    try:
        return session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=label)
    except pkcs11.PKCS11Error as problem:
        raise KeyRefused(
            f"令牌上没有唯一的私钥“{label}”。 The token has not exactly one private key {label!r}."
        ) from problem


def name_of(problem: Exception) -> str:
    """What a token calls its refusal."""
    return type(problem).__name__
