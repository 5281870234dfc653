"""A client of the report service for whoever signs: what awaits him, what is signed, the signature, its proof.

with Reports.at("https://ct.example", BackendAuth(token_url, "dr-lu", key_path)) as reports:
    for waiting in reports.awaiting(key.signer):
        asked = reports.signing_input(waiting.report)
        reports.sign(asked, key, datetime.now(UTC))
"""

from slipring.client.certificates import CertificateRequest, Certificates
from slipring.client.refusal import Distrusted, Refused, Said, Unanswered
from slipring.client.reports import Reports
from slipring.client.signing_keys import KeyFile, KeyRefused, SigningKey
from slipring.client.token import BackendAuth, BearerFile, MissingKeys, NoToken

__all__ = [
    "BackendAuth",
    "BearerFile",
    "CertificateRequest",
    "Certificates",
    "Distrusted",
    "KeyFile",
    "KeyRefused",
    "MissingKeys",
    "NoToken",
    "Refused",
    "Reports",
    "Said",
    "SigningKey",
    "Unanswered",
]
