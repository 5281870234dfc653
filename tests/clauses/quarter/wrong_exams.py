"""Faults of exams and of contrast: their requests, justification, steps, numbers, images, consents, lots and observation."""

from __future__ import annotations

from typing import Any

from slipring_demo.cast import C

from .living import Quarter
from .loading import loaded
from .papers import LOINC
from .wrong import Left, exam, fault, found
from .wrong_house import day_of

Tree = dict[str, Any]


def step_missing(id: str, code: str) -> None:
    """An exam without one of its steps on record."""

    @fault(id)
    async def unstepped(quarter: Quarter) -> Left:
        def without(task: Tree) -> None:
            task["input"] = [one for one in task["input"] if one["type"]["coding"][0]["code"] != code]

        records = await exam(quarter, "abdomen", day_in_quarter(id), exam=without)
        return found(records["exam"], records, code)


def day_in_quarter(id: str) -> int:
    """The day of a fault, 1 to 92."""
    from datetime import date

    return (date.fromisoformat(day_of(id)) - date(2026, 7, 1)).days + 1


@fault("protocol-missing")
async def unprotocolled(quarter: Quarter) -> Left:
    """A pelvis, for which no protocol was ever approved, scanned on the scanner as it was booked."""

    def pelvis(request: Tree) -> None:
        request["code"] = {"coding": [{"system": LOINC, "code": "30615-9"}]}

    records = await exam(quarter, "abdomen", day_in_quarter("protocol-missing"), request=pelvis)
    step = {
        "resourceType": "Task", "status": "completed", "intent": "order",
        "code": {"coding": [{"system": f"{C}/CodeSystem/task-code", "code": "scheduled-step"}]},
        "partOf": [{"reference": records["exam"]}], "focus": {"reference": records["request"]},
        "owner": {"reference": quarter.at["scanner"]},
    }  # fmt: skip
    records |= await loaded(quarter.department, [("step", step)])
    return found(
        "ActivityDefinition/o-exam-ct-pelvis-plain",
        records,
        f"no approved protocol on its scanner ({quarter.at['scanner']})",
    )


step_missing("patient-not-received", "arrival")
step_missing("identity-not-checked", "identity-confirmed")


@fault("exam-without-justification")
async def unjustified(quarter: Quarter) -> Left:
    guidance = tuple(name for name in quarter.records["head"].held if name.startswith("guidance"))
    records = await exam(quarter, "head", day_in_quarter("exam-without-justification"), guidance)
    return found(records["exam"], records)


@fault("justified-after-exam")
async def afterwards(quarter: Quarter) -> Left:
    def later(said: Tree) -> None:
        said["occurrenceDateTime"] = f"{day_of('justified-after-exam')}T09:00:00Z"

    names = [name for name in quarter.records["head"].held if name.startswith("guidance")]
    records = await exam(quarter, "head", day_in_quarter("justified-after-exam"), **dict.fromkeys(names, later))
    return found(records["exam"], records)


@fault("request-without-clinical-data")
async def unasked(quarter: Quarter) -> Left:
    """As the rules kept it: an issue on the request that nobody answered."""

    def bare(request: Tree) -> None:
        del request["extension"], request["reasonCode"]

    records = await exam(quarter, "head", day_in_quarter("request-without-clinical-data"), request=bare)
    issue = {
        "resourceType": "DetectedIssue", "status": "final", "severity": "high",
        "code": {"coding": [{"system": f"{C}/CodeSystem/rule", "code": "order.request-complete"}]},
        "implicated": [{"reference": records["request"]}], "identifiedDateTime": f"{day_of('request-without-clinical-data')}T01:00:00Z",
    }  # fmt: skip
    records |= await loaded(quarter.department, [("issue", issue)])
    return found(records["exam"], records)


@fault("critical-patient-unattended")
async def alone(quarter: Quarter) -> Left:
    def stat(task: Tree) -> None:
        task["priority"] = "stat"

    records = await exam(quarter, "head", day_in_quarter("critical-patient-unattended"), exam=stat)
    return found(records["exam"], records)


@fault("imaging-number-twice")
async def twice(quarter: Quarter) -> Left:
    first = await exam(quarter, "head", day_in_quarter("imaging-number-twice"))
    number = (await quarter.department.get(first["exam"]))["groupIdentifier"]["value"]

    def same(task: Tree) -> None:
        task["groupIdentifier"]["value"] = number

    second = await exam(quarter, "head", day_in_quarter("imaging-number-twice"), exam=same)
    return found(
        second["exam"], first | {f"other {name}": place for name, place in second.items()}, "same imaging number"
    )


def images(id: str, rule: str, says: str = "") -> None:
    """The images of an exam do not agree with the order, and nobody settled it."""

    @fault(id)
    async def wrong(quarter: Quarter) -> Left:
        records = await exam(quarter, "head", day_in_quarter(id))
        at = f"{day_of(id)}T02:00:00Z"
        patient = {"reference": records["patient"]}
        study = {
            "resourceType": "ImagingStudy", "status": "available", "subject": patient, "started": at,
            "basedOn": [{"reference": records["request"]}],
        }  # fmt: skip
        records |= await loaded(quarter.department, [(f"study {id}", study)])
        coding = [
            {"system": f"{C}/CodeSystem/rule", "code": rule},
            {"system": f"{C}/CodeSystem/department-rule", "code": "image-mismatch"},
        ]
        issue = {
            "resourceType": "DetectedIssue", "status": "preliminary", "severity": "high", "code": {"coding": coding},
            "patient": patient, "identifiedDateTime": at, "implicated": [{"reference": records[f"study {id}"]}],
        }  # fmt: skip
        records |= await loaded(quarter.department, [(f"issue {id}", issue)])
        return found(records[f"issue {id}"], records, says)


images("images-of-another-number", "order.image-accession")
images("images-of-another-patient", "order.image-identity")
images("images-of-the-wrong-part", "order.image-body-part")


# --- contrast


@fault("contrast-without-consent")
async def unconsented(quarter: Quarter) -> Left:
    records = await exam(quarter, "vessels", day_in_quarter("contrast-without-consent"), ("consent",))
    return found(records["given"], records, "consent")


@fault("contrast-after-withdrawal")
async def withdrawn(quarter: Quarter) -> Left:
    def inactive(consent: Tree) -> None:
        consent["status"] = "inactive"

    records = await exam(quarter, "vessels", day_in_quarter("contrast-after-withdrawal"), consent=inactive)
    return found(records["given"], records, "consent")


@fault("contrast-without-screening")
async def unscreened(quarter: Quarter) -> Left:
    records = await exam(quarter, "vessels", day_in_quarter("contrast-without-screening"), ("screening",))
    return found(records["given"], records, "screening")


@fault("consent-signed-after-contrast")
async def late(quarter: Quarter) -> Left:
    def after(consent: Tree) -> None:
        day = day_of("consent-signed-after-contrast")
        consent["dateTime"] = f"{day}T09:00:00Z"
        consent["provision"]["period"] |= {"start": f"{day}T08:00:00Z", "end": f"{day}T20:00:00Z"}

    records = await exam(quarter, "vessels", day_in_quarter("consent-signed-after-contrast"), consent=after)
    return found(records["given"], records, "consent")


@fault("no-observer-named")
async def unobserved(quarter: Quarter) -> Left:
    def nobody(watch: Tree) -> None:
        for member in ("owner", "performerType"):
            watch.pop(member, None)
        watch["input"] = [one for one in watch.get("input", []) if "observer" not in str(one["type"])]

    def alone(given: Tree) -> None:
        given["performer"] = [one for one in given["performer"] if "function" not in one]

    records = await exam(quarter, "vessels", day_in_quarter("no-observer-named"), watch=nobody, given=alone)
    return found(records["watch"], records, "observer")


@fault("drug-without-lot")
async def lotless(quarter: Quarter) -> Left:
    def bare(given: Tree) -> None:
        given.pop("medicationReference")
        given["medicationCodeableConcept"] = {"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02"}]}

    records = await exam(quarter, "vessels", day_in_quarter("drug-without-lot"), given=bare)
    return found(records["given"], records)


def of_lot(id: str, *, delivered: bool = True, expires: str = "2029-06") -> None:
    """Contrast from a lot that should not have been used."""

    @fault(id)
    async def used(quarter: Quarter) -> Left:
        from slipring_consent.contrast.lots import as_decision
        from slipring_demo.lots import a_delivery, a_lot

        nurse = quarter.at["nurse"]
        lot = a_lot(f"Q-{id}", extension=[as_decision("accepted", nurse, "2026-07-01T01:00:00Z")])
        lot["batch"]["expirationDate"] = expires
        made = await loaded(quarter.department, [("lot", lot)])
        if delivered:
            made |= await loaded(quarter.department, [("delivery", a_delivery(quarter.cast(), made["lot"]))])

        def taken(given: Tree) -> None:
            given["medicationReference"] = {"reference": made["lot"]}

        records = await exam(quarter, "vessels", day_in_quarter(id), given=taken)
        return found(records["given"], records | made)


of_lot("contrast-from-no-lot-received", delivered=False)
of_lot("lot-expired", expires="2026-07-31")


@fault("reaction-left-open")
async def open_reaction(quarter: Quarter) -> Left:
    records = await exam(quarter, "vessels", day_in_quarter("reaction-left-open"))
    event = {
        "resourceType": "AdverseEvent", "actuality": "actual", "subject": {"reference": records["patient"]},
        "date": f"{day_of('reaction-left-open')}T02:00:00Z", "suspectEntity": [{"instance": {"reference": records["given"]}}],
        "event": {"coding": [{"system": f"{C}/CodeSystem/reaction-type", "code": "physiologic"}]},
    }  # fmt: skip
    records |= await loaded(quarter.department, [("event", event)])
    return found(records["event"], records)
