"""`Measure/$sample-evidence`: what a service has on one case of a drawn sample, masked and sealed.

It stores nothing and lists in the trail every record that it shows. The front asks every service and lays the answers
side by side. The key of the pseudonyms comes from whoever exports: the same for all cases of a bundle, and kept by nobody.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slipring.assessing.gathering import STAFF, Case, gathered, taken
from slipring.assessing.links import Links
from slipring.assessing.masking import Mask, words_of
from slipring.fhir.outcome import FhirError, conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Operation, OperationHandler, Parameter, Resource, Stored
from slipring.signing.form import exact_text
from slipring.signing.key_certificates import certified_keys
from slipring.signing.proof import Member, packed
from slipring.signing.proof_file import judged_file
from slipring.signing.report_proof import KEY_CERTIFICATES, KEYS
from slipring.signing.sample_proof import CHECKED, PART, RECORDS

NAME = "sample-evidence"
_JSON, _PEM = "application/json", "application/x-pem-file"
_KEY_BYTES = 32
_REFERENCE = re.compile(r"(Task|ServiceRequest)/[A-Za-z0-9.-]{1,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Prover:
    """What proves a record before it is masked: the operation `$proof`, and of which records of the type."""

    proof: OperationHandler
    of: Callable[[Resource], bool] = lambda resource: True


Beside = Callable[[Case, Desk], Awaitable[Sequence[str]]]
"""What else belongs to a case that no link finds, as references: a scanner's tests of that day."""


@dataclass(frozen=True, slots=True)
class Evidencing:
    """A service's evidence: how it is found, and what proves signatures and timelines in it."""

    service: str
    links: Links
    provers: Mapping[str, Prover] = field(default_factory=dict)
    beside: Beside | None = None

    def operation(self) -> Operation:
        """The operation as the service declares it."""
        part = (
            Parameter("service", "code", "out", 1),
            Parameter("records", "integer", "out", 1),
            Parameter(
                "proof", "base64Binary", "out", 1, documentation="sealed; `slipring verify` checks the whole sample"
            ),
        )
        return Operation(
            "Measure",
            NAME,
            self.shown,
            level="type",
            title="What a service has on a case of the assessor's sample, patients masked, sealed",
            affects_state=False,
            tells=self.links.types,
            parameters=(
                Parameter("case", "integer", min=1, documentation="its number in the draw, from 1"),
                Parameter("exam", "Reference", min=1),
                Parameter("request", "Reference", min=1),
                Parameter("draw", "string", min=1, documentation="SHA-256 of the manifest of the sealed draw, hex"),
                Parameter(
                    "maskingKey", "base64Binary", min=1, documentation="32 bytes at random, one for all of a bundle"
                ),
                Parameter("part", "", "out", 1, "*", parts=part),
            ),
        )

    async def shown(self, call: Call, desk: Desk) -> Changes:
        """The service's part of one case."""
        exam, request = _reference(call, "exam"), _reference(call, "request")
        draw = str(call.value("draw"))
        if not _DIGEST.fullmatch(draw):
            raise _wrong(call, "draw", "`draw` is a SHA-256 in hexadecimal.", "draw 须为十六进制 SHA-256。")
        case = await gathered([request, exam], self.links, desk)
        if self.beside is not None:
            await taken(await self.beside(case, desk), case, desk, self.links)
        if case.stored and not case.whose:
            raise conflict(
                "The patient of this case is not known here yet: nothing can be masked. Ask again later.",
                "该病例的患者信息尚未同步，无法隐去，请稍后再试。",
                detail="kernel.sample-patient-unknown",
            )
        people = [one.resource for one in case.whose]
        mask = Mask(_key(call), words_of(people, (one.resource for one in case.stored)))
        told = {"case": call.value("case"), "exam": exam, "request": request, "draw": draw, "service": self.service}
        records = await self._records(case, mask, desk)
        checked = await self._checked(case, mask, desk)
        keys = await desk.seals.keys()
        trust = desk.settings.trust.parent
        members = [
            Member(RECORDS, _JSON, exact_text({**told, "records": records})),
            Member(CHECKED, _JSON, exact_text({"checked": checked})),
            Member(KEYS, _JSON, exact_text({"keys": list(keys)})),
        ]
        if vouched := certified_keys(trust, keys, desk.now):
            members.append(Member(KEY_CERTIFICATES, _PEM, vouched))
        proof = packed(PART, exam, desk.now, members, desk.seals.seal)
        part = [
            {"name": "service", "valueCode": self.service},
            {"name": "records", "valueInteger": len(records)},
            {"name": "proof", "valueBase64Binary": base64.b64encode(proof).decode()},
        ]
        answer = {"resourceType": "Parameters", "parameter": [{"name": "part", "part": part}]}
        return Changes(answer=answer, disclosed=[one["reference"] for one in _named(case)])

    async def _records(self, case: Case, mask: Mask, desk: Desk) -> list[dict[str, Any]]:
        found = []
        for one in case.own.values():
            told = _told(one.stored, mask)
            if one.stored.resource["resourceType"] in self.links.versions:
                found += [
                    _told(before, mask)
                    for before in await _earlier(one.stored, desk)
                    if not self.links.hides(before.resource)
                ]
            found.append(told | {"sha256": one.sha256, "altered": one.altered})
        shown = [one for one in case.copies.values() if one.resource["resourceType"] in STAFF]
        return [*found, *(_told(one, mask) | {"copyOf": one.source} for one in shown)]

    async def _checked(self, case: Case, mask: Mask, desk: Desk) -> list[dict[str, Any]]:
        """What `$proof` proves of each record, judged here: what is masked is not what was signed."""
        found = []
        for one in case.own.values():
            prover = self.provers.get(str(one.stored.resource["resourceType"]))
            if prover is None or not prover.of(one.stored.resource):
                continue
            told: dict[str, Any] = {"record": one.stored.reference, "version": one.stored.version}
            try:
                changes = await prover.proof(Call({"resourceType": "Parameters"}, one.stored), desk)
            except FhirError as refused:
                found.append(told | {"proved": False, "why": refused.issues[0].detail})
                continue
            content = base64.b64decode((changes.answer or {})["data"])
            _, verdict = judged_file(content)
            parts = [mask.masked({"resourceType": "Basic", **part}) for part in verdict.tree()["parts"]]
            for part in parts:
                del part["resourceType"]
            digest = hashlib.sha256(content).hexdigest()
            found.append(told | {"proved": True, "holds": verdict.holds, "proofSha256": digest, "parts": parts})
        return found


async def _earlier(stored: Stored, desk: Desk) -> list[Stored]:
    """The versions before it."""
    found = [await desk.read_version(stored.reference, number) for number in range(1, stored.version)]
    return [one for one in found if one is not None]


def _told(stored: Stored, mask: Mask) -> dict[str, Any]:
    resource = mask.masked(stored.resource)
    told: dict[str, Any] = {
        "reference": mask.reference(stored.reference),
        "version": stored.version,
        "updated": stored.updated_at.isoformat(timespec="milliseconds"),
        "resource": resource,
    }
    return told | ({"withheld": list(mask.withheld)} if mask.withheld else {})


def _named(case: Case) -> list[dict[str, str]]:
    return [
        {"reference": one.reference} for one in case.stored if not one.source or one.resource["resourceType"] in STAFF
    ]


def _reference(call: Call, name: str) -> str:
    said = (call.value(name) or {}).get("reference", "")
    kind = {"exam": "Task", "request": "ServiceRequest"}[name]
    if not (_REFERENCE.fullmatch(said) and said.startswith(f"{kind}/")):
        raise _wrong(call, name, f"`{name}` is a {kind}/[id] of the draw.", f"{name} 须为抽样中的 {kind}/[id]。")
    return str(said)


def _key(call: Call) -> bytes:
    try:
        key = base64.b64decode(str(call.value("maskingKey")), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise _wrong(
            call, "maskingKey", f"The key is {_KEY_BYTES} bytes in base64.", f"密钥须为 {_KEY_BYTES} 字节的 base64。"
        )
    return key


def _wrong(call: Call, name: str, en: str, zh: str) -> FhirError:
    return unprocessable(en, zh, at=call.at(name), code="value", detail="kernel.sample-parameter")
