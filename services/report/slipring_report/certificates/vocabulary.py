"""The codes and addresses by which certificates and requests for them are told from other records."""

from __future__ import annotations

from slipring.fhir.service import CANONICAL

REQUEST, RENEWAL = "certificate-request", "certificate-renewal"  # codes of a Task
PARAMETER = f"{CANONICAL}/CodeSystem/certificate-parameter"
KIND_SYSTEM = f"{CANONICAL}/CodeSystem/report-document"
CERTIFICATE = "signing-certificate"
REVOKED = f"{CANONICAL}/StructureDefinition/certificate-revoked"
REVOCATION_REASON = f"{CANONICAL}/CodeSystem/certificate-revocation-reason"
SHA256, SERIAL = f"{CANONICAL}/sid/certificate-sha256", f"{CANONICAL}/sid/certificate-serial"
CHAIN_TYPE = "application/pem-certificate-chain"  # RFC 8555 section 9.1
