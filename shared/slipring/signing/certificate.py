"""The department's certificate authority: its keys, and the certificates it issues.

Two keys: the root, which signs nothing but issuing certificates and may lie offline, and the issuing key under it, which
signs the certificates of people. A folder that holds a root only (of an earlier release) issues with the root itself.
A practitioner's certificate names the Practitioner as a URI in its subject alternative name; the key is made where the
person is and never leaves it: the certificate request proves that the asker holds it.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from slipring.signing.chain import PERSON_PREFIX, CertificateRefused
from slipring.signing.policy import lifetime

# Certificates are backdated a little: machines of one department do not agree on the second.
_BACKDATED = timedelta(minutes=5)
ROOT_KEY, ROOTS = "root.key", "root.pem"  # the key that may go offline; every root that is trusted, the newest first
LIST = "crl.pem"  # the certificates taken back at the command line
ISSUING_KEY, ISSUING = "issuing.key", "issuing.pem"  # the key in use; its certificate and the root's


@dataclass(frozen=True, slots=True)
class Authority:
    """What signs the certificates of people."""

    key_pem: bytes  # of the issuing key, or of the root where there is no issuing key
    certificate_pem: bytes  # the roots that are trusted
    chain_pem: bytes = b""  # what follows a person's certificate; without an issuing key the root

    @property
    def issuer(self) -> x509.Certificate:
        """The certificate of the key."""
        return x509.load_pem_x509_certificates(self.chain_pem or self.certificate_pem)[0]

    @property
    def key(self) -> ec.EllipticCurvePrivateKey:
        """The key itself."""
        key = serialization.load_pem_private_key(self.key_pem, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise CertificateRefused("certificate-unreadable")
        return key


def make_authority(folder: Path, *, now: datetime) -> Authority:
    """The authority kept in this folder; made when there is none.

    Several processes may start at once: the folder appears whole or not at all, and the first one wins.
    """
    if not (folder / ROOTS).exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        key, root = make_root(now)
        write_private(fresh / ROOT_KEY, key_pem(key))
        write_private(fresh / ROOTS, as_pem(root))
        make_issuing(fresh, key, root, now)
        try:
            fresh.rename(folder)
        except OSError:  # another process was first, or the folder holds something else
            shutil.rmtree(fresh)
    return read_authority(folder)


def read_authority(folder: Path) -> Authority:
    """The authority kept in this folder. OSError when there is none, or its keys are elsewhere."""
    roots = (folder / ROOTS).read_bytes()
    if (folder / ISSUING_KEY).exists():
        return Authority((folder / ISSUING_KEY).read_bytes(), roots, (folder / ISSUING).read_bytes())
    return Authority((folder / ROOT_KEY).read_bytes(), roots)


def make_root(now: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A fresh root: its key and the certificate that it gives itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _named("Slipring department signing root")
    made = _authority(name, key.public_key(), name, now, now + lifetime("root"), below=1)
    return key, made.sign(key, hashes.SHA256())


def make_issuing(folder: Path, root_key: ec.EllipticCurvePrivateKey, root: x509.Certificate, now: datetime) -> None:
    """Put a fresh issuing key under this root into the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    ends = min(now + lifetime("issuing"), root.not_valid_after_utc)
    made = _authority(_named("Slipring department signing"), key.public_key(), root.subject, now, ends, below=0)
    made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
    write_private(folder / ISSUING_KEY, key_pem(key))
    write_private(folder / ISSUING, as_pem(made.sign(root_key, hashes.SHA256())) + as_pem(root))


def make_key_and_csr(name: str) -> tuple[bytes, bytes]:
    """A fresh P-256 key (PEM, unencrypted) and the certificate request that proves its possession."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(_named(name)).sign(key, hashes.SHA256())
    return key_pem(key), request.public_bytes(serialization.Encoding.PEM)


def issue(authority: Authority, csr_pem: bytes, practitioner: str, name: str, *, now: datetime) -> bytes:
    """Issue a certificate for `Practitioner/id` on a request; answers the chain as PEM, the signer's own first."""
    request = x509.load_pem_x509_csr(csr_pem)
    if not request.is_signature_valid:
        raise CertificateRefused("request-unproved")
    public = request.public_key()
    return certify(authority, public, practitioner, name, now=now)


def certify(authority: Authority, public: CertificatePublicKeyTypes, holder: str, name: str, *, now: datetime) -> bytes:
    """Say that this public key is the holder's (`Practitioner/id`, `Service/name`); answers the chain as PEM, his own first."""
    issuer, key = authority.issuer, authority.key
    address = x509.UniformResourceIdentifier(PERSON_PREFIX + holder)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(issuer.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(min(now + lifetime("practitioner"), issuer.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_content=True), critical=True)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return as_pem(certificate) + (authority.chain_pem or authority.certificate_pem)


def as_pem(certificate: x509.Certificate) -> bytes:
    """A certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as PEM, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that nobody else may read. FileExistsError when there is one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _authority(
    name: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name, now: datetime, ends: datetime, *, below: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
        .add_extension(_usage(signs_content=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_content: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs_content,
        content_commitment=signs_content,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signs_content,
        crl_sign=not signs_content,
        encipher_only=False,
        decipher_only=False,
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
