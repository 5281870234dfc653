"""The key that a person signs with: in a file here, on a token in `pkcs11_key`."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from slipring.signing.algorithms import Algorithm, algorithm_for
from slipring.signing.chain import PERSON_PREFIX

_PEM = serialization.Encoding.PEM
_PKCS8 = serialization.PrivateFormat.PKCS8
_SUBJECT = serialization.PublicFormat.SubjectPublicKeyInfo


class KeyRefused(Exception):
    """A key or certificate that is not signed with; the message says why, in both languages."""


class SigningKey(Protocol):
    """A key with the certificate chain that says whose it is."""

    @property
    def chain_pem(self) -> bytes:
        """The chain, the signer's own certificate first."""

    @property
    def algorithm(self) -> str:
        """As the `alg` of a JWS says it."""

    def sign(self, signed: bytes) -> bytes:
        """The signature, in the form that a JWS carries."""


@dataclass(frozen=True, slots=True, repr=False)
class KeyFile:
    """A private key that was read from a PEM file."""

    key_pem: bytes
    chain_pem: bytes
    _way: Algorithm

    @property
    def algorithm(self) -> str:
        """The algorithm that fits the key."""
        return self._way.name

    def sign(self, signed: bytes) -> bytes:
        """Sign with the key."""
        return self._way.sign(self.key_pem, signed)

    @classmethod
    def read(cls, path: Path, chain_pem: bytes, passphrase: Callable[[], str]) -> KeyFile:
        """Read a key; the passphrase is asked for when the file is encrypted. A plain one must be its owner's alone (0600)."""
        try:
            content, mode = path.read_bytes(), stat.S_IMODE(path.stat().st_mode)
        except OSError as problem:
            raise KeyRefused(f"无法读取密钥文件 {path}。 {path} cannot be read: {problem.strerror}.") from problem
        encrypted = b"ENCRYPTED" in content
        if not encrypted and mode & 0o077:
            raise KeyRefused(
                f"{path} 未加密且他人可读（{mode:04o}）：请 chmod 600。"
                f" {path} is not encrypted and others may read it ({mode:04o}): chmod 600."
            )
        try:
            key = serialization.load_pem_private_key(content, passphrase().encode() if encrypted else None)
            plain = key.private_bytes(_PEM, _PKCS8, serialization.NoEncryption())
        except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
            raise KeyRefused(
                "口令错误，或文件中没有私钥。 The passphrase is wrong, or the file holds no private key."
            ) from problem
        try:
            way = algorithm_for(plain)
        except ValueError as problem:
            raise KeyRefused("不支持此类密钥。 No signature algorithm fits this kind of key.") from problem
        if key.public_key().public_bytes(_PEM, _SUBJECT) != public_key(chain_pem):
            raise not_the_same()
        return cls(plain, chain_pem, way)


def signer_of(chain_pem: bytes) -> str:
    """The person that the first certificate names: Practitioner/id."""
    try:
        names = own_certificate(chain_pem).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    addresses = names.get_values_for_type(x509.UniformResourceIdentifier)
    named = [one.removeprefix(PERSON_PREFIX) for one in addresses if one.startswith(f"{PERSON_PREFIX}Practitioner/")]
    return named[0] if len(named) == 1 else ""


def own_certificate(chain_pem: bytes) -> x509.Certificate:
    """The signer's certificate of a chain."""
    try:
        return x509.load_pem_x509_certificates(chain_pem)[0]
    except (ValueError, IndexError) as problem:
        raise KeyRefused("证书链无法读取。 The certificate chain cannot be read.") from problem


def public_key(chain_pem: bytes) -> bytes:
    """The key that the signer's certificate vouches for, as PEM."""
    return own_certificate(chain_pem).public_key().public_bytes(_PEM, _SUBJECT)


def not_the_same() -> KeyRefused:
    """The refusal of a key that its certificate does not vouch for."""
    return KeyRefused("密钥与证书不属于同一对。 The key and the certificate do not belong together.")
