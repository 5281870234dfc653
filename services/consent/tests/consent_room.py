"""A consent room for the handler tests: the text asked for, signed, verified, withdrawn and printed on a desk in memory."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

from slipring.fhir.service import Call, Changes, Resource, Write
from slipring_consent.handlers.consent_printing import print_asked
from slipring_consent.handlers.consent_signing import consent_signed
from slipring_consent.handlers.consent_texts import text_asked
from slipring_consent.handlers.consent_verifying import verification_asked
from slipring_consent.handlers.consent_withdrawing import consent_withdrawn
from slipring_consent.handlers.consents import consent_written
from slipring_consent.reading import instant

from tests.support.consenting import DOSE, IOHEXOL, a_signature, called, to_sign
from tests.support.contrast import EXAM, a_department
from tests.support.desk import A_NOON, ADesk

PATIENT = "Patient/o-pat"
NURSE = "Practitioner/o-nurse"
A_PATIENT: Resource = {
    "resourceType": "Patient",
    "id": "o-pat",
    "name": [{"text": "示例患者"}],
    "identifier": [{"value": "SYN-0001"}],
    "birthDate": "1960-05-01",
    "gender": "female",
}
MOTHER: Resource = {
    "resourceType": "RelatedPerson",
    "id": "o-mother",
    "patient": {"reference": PATIENT},
    "relationship": [{"text": "母亲"}],
    "name": [{"text": "示例母亲"}],
}


class ConsentRoom:
    """One patient, one exam, and what is done about its consent."""

    def __init__(self, *holding: Resource, now: datetime = A_NOON, **patient: Any) -> None:
        self.desk: ADesk = a_department(*holding, now=now)
        person = {name: value for name, value in {**A_PATIENT, **patient}.items() if value is not None}
        self.desk.hold(person, source="order")
        self.desk.hold(MOTHER, source="order")
        self.when = instant(now)

    async def text(self, **parameters: Any) -> Resource:
        """The text of the exam, stored."""
        asked = {
            "request": ("Reference", {"reference": EXAM}),
            "agent": ("CodeableConcept", IOHEXOL),
            "dose": ("Quantity", DOSE),
            **parameters,
        }
        changes = await text_asked(Call(called(**asked)), self.desk)
        self.desk.carry_out(changes)
        assert changes.answer is not None
        return changes.answer

    def paper(self, text: Resource, **members: Any) -> Resource:
        """The consent to be signed."""
        explained = instant(self.desk.now - timedelta(minutes=10))
        return to_sign(PATIENT, EXAM, f"DocumentReference/{text['id']}", NURSE, explained, **members)

    async def signed(self, consent: Resource, signature: Resource | None = None, **beside: Any) -> Changes:
        """`$sign`, by the patient's pen unless said otherwise."""
        given = signature or a_signature(PATIENT, self.when)
        changes = await consent_signed(
            Call(called(consent=consent, signature=("Signature", given), **beside)), self.desk
        )
        if changes.refuse is None:
            self.desk.carry_out(changes)
        return changes

    async def consented(self, **members: Any) -> Resource:
        """The text asked for and signed; the consent as it is kept."""
        changes = await self.signed(self.paper(await self.text(), **members))
        assert changes.refuse is None, changes.refuse.issues
        return self.kept(changes)

    def kept(self, changes: Changes) -> Resource:
        """The consent that a change saves."""
        return next(save.resource for save in changes.save if save.resource["resourceType"] == "Consent")

    async def verified(self, consent: str) -> Resource:
        """The answer of `$verify`, by name; reasons and signatures as lists."""
        changes = await verification_asked(self.call(consent), self.desk)
        assert changes.answer is not None and not changes.save
        found: dict[str, Any] = {"reason": [], "signature": []}
        for parameter in changes.answer["parameter"]:
            if parameter["name"] == "reason":
                found["reason"].append(parameter["part"][0]["valueCode"])
            elif parameter["name"] == "signature":
                found["signature"].append({part["name"]: part for part in parameter["part"]})
            else:
                found[parameter["name"]] = next(value for name, value in parameter.items() if name != "name")
        return found

    async def withdrawn(self, consent: str, by: str = PATIENT) -> Changes:
        """`$withdraw`, with its reason in words."""
        call = self.call(consent, reason=("CodeableConcept", {"text": "改变主意"}), by=("Reference", {"reference": by}))
        changes = await consent_withdrawn(call, self.desk)
        if changes.refuse is None:
            self.desk.carry_out(changes)
        return changes

    async def printed(self, consent: str, form: str = "text/html") -> bytes:
        """`$print`: the bytes of the Binary."""
        changes = await print_asked(self.call(consent, format=("Code", form)), self.desk)
        assert changes.answer is not None and changes.answer["contentType"].startswith(form)
        return base64.b64decode(changes.answer["data"])

    async def written(self, consent: Resource) -> Changes:
        """A plain POST or PUT of a consent."""
        before = self.desk.held.get(f"Consent/{consent['id']}")
        write = Write("update" if before else "create", consent, before)
        changes = await consent_written(write, self.desk)
        if changes.refuse is None:
            self.desk.carry_out(changes, consent)
        return changes

    def call(self, consent: str, **parameters: Any) -> Call:
        """An operation on one consent."""
        return Call(called(**parameters), self.desk.held[consent])


def refusals(changes: Changes) -> set[str]:
    """The codes a refusal gives."""
    return {issue.detail for issue in changes.refuse.issues} if changes.refuse else set()
