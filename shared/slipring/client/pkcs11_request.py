"""A request for a certificate (PKCS #10, RFC 2986) for a key that lies on a token and never leaves it.

Needs the extra `slipring[pkcs11]` (asn1crypto comes with python-pkcs11). Signed as certificates are: ECDSA over P-256 or
P-384, RSA with PKCS #1 v1.5 (RFC 8017 8.2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from slipring.client.pkcs11_key import name_of, open_token, private_key_of
from slipring.client.signing_keys import KeyRefused

_HASHES: dict[str, Callable[[bytes], Any]] = {"secp256r1": hashlib.sha256, "secp384r1": hashlib.sha384}


def request_on_token(module: Path, label: str, pin: Callable[[], str], name: str, token: str = "") -> bytes:
    """The request (PEM) of the key of this label, signed by the token; KeyRefused where it cannot be made."""
    session = open_token(module, token, pin)
    with session:
        key = private_key_of(session, label)
        public = _public_key(session, label)
        made = _signed(key, public, name)
    pem = x509.load_der_x509_csr(made).public_bytes(serialization.Encoding.PEM)
    if not x509.load_pem_x509_csr(pem).is_signature_valid:
        raise KeyRefused(
            f"令牌上“{label}”的公钥与私钥不属于同一对。 The two keys {label!r} of the token do not belong together."
        )
    return pem


def _public_key(session: Any, label: str) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    import pkcs11
    from pkcs11.util.ec import encode_ec_public_key

    try:
        found = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, label=label)
        if found.key_type == pkcs11.KeyType.RSA:
            exponent, modulus = (
                int.from_bytes(found[one], "big")
                for one in (pkcs11.Attribute.PUBLIC_EXPONENT, pkcs11.Attribute.MODULUS)
            )
            return rsa.RSAPublicNumbers(exponent, modulus).public_key()
        key = serialization.load_der_public_key(encode_ec_public_key(found))
    except pkcs11.PKCS11Error as problem:
        raise KeyRefused(
            f"令牌上没有唯一的公钥“{label}”（{name_of(problem)}）。"
            f" The token has not exactly one public key {label!r} ({name_of(problem)})."
        ) from problem
    except (ValueError, TypeError, KeyError) as problem:
        raise _unfit() from problem
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _HASHES:
        raise _unfit()
    return key


def _signed(key: Any, public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, name: str) -> bytes:
    import pkcs11
    from asn1crypto import algos, csr, keys
    from asn1crypto import x509 as asn1
    from pkcs11.util.ec import encode_ecdsa_signature

    spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    stated = csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": asn1.Name.build({"common_name": name}),
            "subject_pk_info": keys.PublicKeyInfo.load(spki),
            "attributes": [],
        }
    )
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            made = _HASHES[public.curve.name]
            way = f"{made(b'').name}_ecdsa"
            raw = key.sign(made(stated.dump()).digest(), mechanism=pkcs11.Mechanism.ECDSA)
            signature = encode_ecdsa_signature(bytes(raw))
        else:
            way, signature = "sha256_rsa", bytes(key.sign(stated.dump(), mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS))
    except pkcs11.PKCS11Error as problem:
        raise KeyRefused(
            f"令牌未能签名（{name_of(problem)}）。 The token did not sign ({name_of(problem)})."
        ) from problem
    request = {
        "certification_request_info": stated,
        "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": way}),
        "signature": signature,
    }
    return bytes(csr.CertificationRequest(request).dump())


def _unfit() -> KeyRefused:
    return KeyRefused("不支持此类密钥。 No signature algorithm fits this kind of key.")
