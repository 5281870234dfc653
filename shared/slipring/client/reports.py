"""Reports as whoever signs them meets them: what awaits him, what is signed, the signature, and its proof."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

import httpx

from slipring.client.answers import (
    Awaiting,
    Finding,
    OnRecord,
    Reading,
    Signed,
    SigningInput,
    Verified,
    finding_in,
    on_record,
    reading_in,
    signing_input_in,
    verified_in,
)
from slipring.client.refusal import Unanswered
from slipring.client.signing_keys import SigningKey
from slipring.client.wire import Tree, Wire, parameter, value_of, values_of
from slipring.signing.jws import jws_sha256, sign_payload_by
from slipring.signing.policy import ROLES

_AT_ONCE = 20  # reports whose signatures are asked for in one search


class Reports:
    """The reports of one installation, in the name of whoever's token `http` carries.

    Every method raises Refused with the server's words, Unanswered where none came, NoToken where no token was given.
    """

    def __init__(self, http: httpx.Client, wire: Wire | None = None) -> None:
        self._http = http
        self._wire = wire or Wire(http)

    @classmethod
    def at(cls, url: str, auth: httpx.Auth, *, timeout_seconds: float = 60) -> Reports:
        """The reports of the front at this address."""
        return cls(httpx.Client(base_url=url.rstrip("/"), auth=auth, timeout=timeout_seconds))

    def __enter__(self) -> Reports:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    # --- what awaits me -----------------------------------------------------------------------------------

    def readings(self, holder: str = "") -> list[Reading]:
        """The open readings, the most urgent first; of one holder, or all."""
        asked = [parameter("owner", "Reference", {"reference": holder})] if holder else []
        answer = self._wire.asked("Task/$reading-list", *asked)
        return [reading_in(one) for one in answer.get("parameter", []) if one["name"] == "reading"]

    def awaiting(self, signer: str) -> list[Awaiting]:
        """What this person (Practitioner/id) may sign next: his own drafts, then those that others have signed and he has not."""
        mine = self._wire.found("DiagnosticReport", status="registered,partial", results_interpreter=signer)
        held = [one.request for one in self.readings(signer) if one.request]
        if held:
            mine += self._wire.found("DiagnosticReport", status="registered,partial", based_on=",".join(held))
        begun = self._wire.found("DiagnosticReport", status="preliminary")
        reports = {f"DiagnosticReport/{one['id']}": one for one in (*mine, *begun)}
        signed = self._signatures(reports)
        return [
            Awaiting.of(name, report, _role_of(signed[name]), tuple(one.who for one in signed[name]))
            for name, report in reports.items()
            if all(one.who != signer for one in signed[name])
        ]

    def signatures(self, report: str) -> list[OnRecord]:
        """The signatures that stand on a report, in their order."""
        return self._signatures([report])[report]

    def _signatures(self, reports: Iterable[str]) -> dict[str, list[OnRecord]]:
        every: dict[str, list[OnRecord]] = {name: [] for name in reports}
        names = list(every)
        for start in range(0, len(names), _AT_ONCE):
            found = self._wire.found("Provenance", target=",".join(names[start : start + _AT_ONCE]), _sort="recorded")
            for one in filter(None, map(on_record, found)):
                for name in one.targets & every.keys():
                    every[name].append(one)
        return {name: sorted(held, key=lambda one: one.recorded) for name, held in every.items()}

    # --- one signature ------------------------------------------------------------------------------------

    def signing_input(self, report: str, role: str = "") -> SigningInput:
        """What the next signature is over, and how it reads; without a role the one whose turn it is.

        Distrusted when the payload is not what its digest says, or of a form that this library does not know.
        """
        role = role or _role_of(self.signatures(report))
        return signing_input_in(
            self._wire.asked(f"{report}/$signing-input", parameter("role", "Code", role)), report, role
        )

    def checked(self, report: str) -> list[Finding]:
        """What the checks find in the words of a report; those with an `answer` somebody stands for already."""
        answer = self._wire.asked(f"{report}/$check-text")
        named = [one for one in answer.get("parameter", []) if one["name"] == "section"]
        sections = {str(value_of(one, "name")): str(value_of(one, "text") or "") for one in named}
        return [finding_in(issue, sections) for issue in values_of(answer, "issue")]

    def answered(self, report: str, key: str, reason: str, by: str) -> None:
        """Stand for words that a check questions, in the name of `by` (Practitioner/id), and say why."""
        said = [parameter("key", "String", key), parameter("reason", "String", reason)]
        self._wire.told(f"{report}/$answer-text-check", *said, parameter("by", "Reference", {"reference": by}))

    def sign(self, asked: SigningInput, key: SigningKey, at: datetime) -> Signed:
        """Sign what was asked for, and hand the signature in; chained to the one before it."""
        made = sign_payload_by(key.sign, key.algorithm, asked.payload, key.chain_pem, asked.role, asked.prev, at)
        return self.handed_in(asked.report, made, asked.role)

    def handed_in(self, report: str, jws: str, role: str) -> Signed:
        """Hand a signature in. Where no answer comes it is looked for; one that does not stand is handed in once more.

        That doubles nothing: a signature on record is refused when it comes again.
        """
        call = (parameter("jws", "String", jws), parameter("role", "Code", role))
        try:
            answer = self._wire.told(f"{report}/$sign", *call)
        except Unanswered:
            if any(one.jws == jws for one in self.signatures(report)):
                return Signed(report, jws_sha256(jws))
            answer = self._wire.told(f"{report}/$sign", *call)
        stands_as = value_of(answer, "report") or {"reference": report}
        told = tuple(map(finding_in, values_of(answer, "issue")))
        return Signed(str(stands_as["reference"]), jws_sha256(jws), told)

    # --- afterwards ---------------------------------------------------------------------------------------

    def status(self, report: str) -> str:
        """Where the report stands."""
        return str(self._wire.read(report)["status"])

    def verified(self, report: str) -> Verified:
        """Every signature and the service's seal, examined again by the server."""
        return verified_in(self._wire.asked(f"{report}/$verify"))

    def proof(self, report: str) -> bytes:
        """The file that `slipring verify` examines without the server."""
        answer = self._wire.asked(f"{report}/$proof")
        return base64.b64decode(
            (answer if answer.get("resourceType") == "Binary" else value_of(answer, "return"))["data"]
        )

    def read(self, reference: str) -> Tree:
        """Any resource, such as the patient or the request of a report."""
        return self._wire.read(reference)


def _role_of(standing: Sequence[Any]) -> str:
    return ROLES[min(len(standing), len(ROLES) - 1)]
