"""The revocation lists of the department's own authorities, made afresh of what is on record and in the file beside the roots."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from slipring.fhir.service import Desk
from slipring.signing.certificate import Authority
from slipring.signing.revocation import entries, make_list

from slipring_report.certificates.reading import chain_of, revocation_of, serial_of
from slipring_report.certificates.register import taken_back
from slipring_report.signatures.trusting import revocations


async def own_lists(desk: Desk) -> bytes:
    """One list (PEM) for each issuing key that lies here, signed now; empty where none does."""
    documents = [one.resource for one in await taken_back(desk)]
    known = (await revocations(desk)).lists
    made: list[bytes] = []
    for authority in desk.settings.authorities():
        revoked = {
            serial_of(one): taken
            for one in documents
            if _issued_by(authority, chain_of(one)) and (taken := revocation_of(one))
        }
        for one in known:
            if one.is_signature_valid(authority.key.public_key()):
                revoked = {**entries(one), **revoked}
        made.append(make_list(authority.issuer, authority.key, revoked, desk.now))
    return b"".join(made)


def _issued_by(authority: Authority, chain: bytes) -> bool:
    try:
        x509.load_pem_x509_certificates(chain)[0].verify_directly_issued_by(authority.issuer)
    except (InvalidSignature, ValueError, TypeError, IndexError):
        return False
    return True
