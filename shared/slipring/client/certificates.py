"""Signing certificates as their holders meet them: asked for with a request, decided by a second person, fetched."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from types import TracebackType

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from slipring.client.refusal import Distrusted, Unanswered
from slipring.client.signing_keys import KeyRefused, public_key
from slipring.client.wire import Tree, Wire
from slipring.fhir.service import CANONICAL

_CODES = f"{CANONICAL}/CodeSystem/task-code"
_PARAMETER = f"{CANONICAL}/CodeSystem/certificate-parameter"
_REQUEST = "certificate-request"


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """A request on record. `status`: requested | completed | rejected | cancelled; `certificate`: the DocumentReference once issued."""

    task: str
    status: str
    reason: str = ""
    certificate: str = ""

    @property
    def stands(self) -> bool:
        """Whether it need not be asked again: it waits, or was granted."""
        return self.status in ("requested", "completed")


class Certificates:
    """The requests and certificates of one installation, in the name of whoever's token `http` carries.

    Every method raises Refused with the server's words, Unanswered where none came, NoToken where no token was given.
    """

    def __init__(self, http: httpx.Client, wire: Wire | None = None) -> None:
        self._http = http
        self._wire = wire or Wire(http)

    @classmethod
    def at(cls, url: str, auth: httpx.Auth, *, timeout_seconds: float = 60) -> Certificates:
        """Those of the front at this address."""
        return cls(httpx.Client(base_url=url.rstrip("/"), auth=auth, timeout=timeout_seconds))

    def __enter__(self) -> Certificates:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def asked(self, csr_pem: bytes) -> CertificateRequest:
        """Ask for a certificate with a PKCS #10 request (PEM), once however often it is called.

        Where no answer comes it is looked for before Unanswered is raised.
        """
        standing = self.of(csr_pem)
        if standing is not None and standing.stands:
            return standing
        coded = {"coding": [{"system": _CODES, "code": _REQUEST}]}
        carried = {"type": {"coding": [{"system": _PARAMETER, "code": "csr"}]}, "valueString": csr_pem.decode("ascii")}
        task = {"resourceType": "Task", "status": "requested", "intent": "order", "code": coded, "input": [carried]}
        try:
            return _request_in(self._wire.created(task))
        except Unanswered:
            found = self.of(csr_pem)
            if found is None or not found.stands:
                raise
            return found

    def of(self, csr_pem: bytes) -> CertificateRequest | None:
        """The newest request on record with this very PKCS #10 request."""
        found = self._wire.found("Task", code=f"{_CODES}|{_REQUEST}", _sort="-authored-on")
        mine = (
            one
            for one in found
            if csr_pem.decode("ascii") in [each.get("valueString") for each in one.get("input", [])]
        )
        return next(map(_request_in, mine), None)

    def chain(self, asked: CertificateRequest, csr_pem: bytes) -> bytes:
        """The chain (PEM, the person's own certificate first) that was issued; Distrusted when it is not for the key that asked."""
        document = self._wire.read(asked.certificate)
        try:
            chain = base64.b64decode(document["content"][0]["attachment"]["data"], validate=True)
            vouched = public_key(chain)
        except (KeyError, IndexError, binascii.Error, KeyRefused) as problem:
            raise Distrusted("证书链无法读取。 The certificate chain that was given cannot be read.") from problem
        form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        if vouched != x509.load_pem_x509_csr(csr_pem).public_key().public_bytes(*form):
            raise Distrusted("所发证书不是为该密钥签发的。 The certificate that was given is for another key.")
        return chain


def _request_in(task: Tree) -> CertificateRequest:
    issued = [one.get("valueReference", {}).get("reference", "") for one in task.get("output", [])]
    reason = str(task.get("statusReason", {}).get("text", ""))
    return CertificateRequest(f"Task/{task['id']}", str(task["status"]), reason, next(iter(issued), ""))
