"""The ways to sign that this installation knows: the usual ones, and those that an installed package adds.

A package adds one (SM2 with SM3, say) by an entry point of the group `slipring.signature_algorithms` that names an
`Algorithm`; a department then allows it by its name in SLIPRING_SIGNING_ALGORITHMS. What the package must bring: signing
and verifying of bytes, reading the key out of a certificate (given whole, as DER, because the libraries here may not
know the kind of key), and, if its certificates are signed in a way unknown here, judging who issued one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jws as jose
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from slipring.signing.policy import smallest_rsa_bits

GROUP = "slipring.signature_algorithms"


def _fits(certificate: bytes) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One way to sign. Certificates come as DER, private keys as PEM, signatures as the bytes that a JWS carries."""

    name: str  # as the `alg` of a JWS says it
    sign: Callable[[bytes, bytes], bytes]  # private key, what is signed
    verify: Callable[[bytes, bytes, bytes], bool]  # the signer's certificate, what was signed, the signature
    signs_with: Callable[[bytes], bool]  # whether this private key is of its kind
    unfit: Callable[[bytes], str] = _fits  # why the certificate's key is not for it: a key of reasons.toml, or ""
    certificate_oids: frozenset[str] = frozenset()  # signature algorithms of certificates that `issued` judges
    issued: Callable[[bytes, bytes], bool] | None = None  # whether the first certificate's key signed the second


def algorithm(name: str) -> Algorithm | None:
    """The algorithm that a JWS names, if it is known here."""
    return registry().get(name)


def algorithm_for(key_pem: bytes) -> Algorithm:
    """The algorithm that fits a private key; the usual ones first. ValueError when there is none."""
    found = next((one for one in registry().values() if one.signs_with(key_pem)), None)
    if found is None:
        raise ValueError("no known signature algorithm fits this kind of key")
    return found


@cache
def registry() -> Mapping[str, Algorithm]:
    """Every algorithm by its name; what a package adds does not replace one of ours."""
    added: list[Algorithm] = [entry.load() for entry in entry_points(group=GROUP)]
    return {**{one.name: one for one in added}, **_OURS} if added else _OURS


def judge_of(certificate: x509.Certificate) -> Callable[[bytes, bytes], bool] | None:
    """The added algorithm's judgement of who issued a certificate that is signed in its way."""
    oid = certificate.signature_algorithm_oid.dotted_string
    return next((one.issued for one in registry().values() if oid in one.certificate_oids and one.issued), None)


def rsa_too_small(certificate: x509.Certificate) -> bool:
    """Whether a certificate's key is an RSA key below the policy's size."""
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return False
    return isinstance(key, rsa.RSAPublicKey) and key.key_size < smallest_rsa_bits()


def key_fault(key: object, names: Sequence[str]) -> str:
    """Why none of these algorithms of ours signs with a key: a key of reasons.toml, or an empty string."""
    if not any(fits(key) for name, (_, fits) in _KINDS.items() if name in names):
        return "key-unfit"
    return "key-too-small" if isinstance(key, rsa.RSAPublicKey) and key.key_size < smallest_rsa_bits() else ""


def _jose(name: str) -> Algorithm:
    model, (kind, fits_key) = jose.JWSRegistry.algorithms[name], _KINDS[name]

    def sign(key_pem: bytes, signed: bytes) -> bytes:
        key = kind.import_key(key_pem)
        model.check_key(key)
        return bytes(model.sign(signed, key))

    def verify(certificate: bytes, signed: bytes, signature: bytes) -> bool:
        public = x509.load_der_x509_certificate(certificate).public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        try:
            key = kind.import_key(pem)
            model.check_key(key)
            return bool(model.verify(signed, signature, key))
        except (JoseError, ValueError, TypeError):
            return False

    def signs_with(key_pem: bytes) -> bool:
        try:
            return fits_key(serialization.load_pem_private_key(key_pem, password=None))
        except (UnsupportedAlgorithm, ValueError):
            return False

    def unfit(certificate: bytes) -> str:
        read = x509.load_der_x509_certificate(certificate)
        try:
            return key_fault(read.public_key(), [name])
        except (UnsupportedAlgorithm, ValueError):
            return "key-unfit"

    return Algorithm(name, sign, verify, signs_with, unfit)


def _on(curve: type[ec.EllipticCurve]) -> Callable[[object], bool]:
    return lambda key: (
        isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) and isinstance(key.curve, curve)
    )


def _edwards(key: object) -> bool:
    return isinstance(key, ed25519.Ed25519PrivateKey | ed25519.Ed25519PublicKey)


def _rsa(key: object) -> bool:
    return isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey)


# What each of ours signs with. Of two that fit a key, the first one is used to sign with it.
_KINDS: Mapping[str, tuple[type[ECKey | OKPKey | RSAKey], Callable[[object], bool]]] = {
    "ES256": (ECKey, _on(ec.SECP256R1)),
    "ES384": (ECKey, _on(ec.SECP384R1)),
    "EdDSA": (OKPKey, _edwards),
    "Ed25519": (OKPKey, _edwards),
    "PS256": (RSAKey, _rsa),
    "RS256": (RSAKey, _rsa),
}
_OURS: Mapping[str, Algorithm] = {name: _jose(name) for name in _KINDS}
