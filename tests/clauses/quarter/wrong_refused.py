"""Faults that the gates make impossible: each is tried through the API, and the refusal is the evidence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from slipring.signing.jws import jws_sha256
from slipring_demo.cast import C
from slipring_demo.contrast import a_consent, a_screening, an_egfr, an_injection
from slipring_demo.lots import a_lot, a_weight

from tests.support.staffing import held

from . import papers
from .living import Exam, Quarter
from .loading import loaded
from .rounds import reference
from .wrong import Left, fault, refusal
from .wrong_people import but, joined

Tree = dict[str, Any]
_YES = {"valueCoding": {"system": "http://terminology.hl7.org/CodeSystem/v2-0532", "code": "Y"}}


async def _tried(quarter: Quarter, exam: Exam, injection: Tree | None = None) -> Left:
    await quarter.department.fresh()
    return refusal(await quarter.department.post("MedicationAdministration", injection or an_injection(exam.cast)))


@fault("egfr-too-old", turn=0)
async def old_egfr(quarter: Quarter) -> Left:
    [exam] = await quarter.patients("vessels", known=False)
    old = an_egfr(exam.cast) | {"effectiveDateTime": exam.cast.moment(timedelta(days=-214))}
    await loaded(quarter.department, [("old egfr", old), ("weight", a_weight(exam.cast))])
    screened = a_screening(exam.cast)
    for item in screened["item"]:
        if item["linkId"] == "kidney-disease":
            item["answer"] = [_YES]
    await exam.made(screened)
    await exam.made(a_consent(exam.cast))
    return await _tried(quarter, exam)


@fault("contrast-against-contraindication", turn=0)
async def contraindicated(quarter: Quarter) -> Left:
    [exam] = await quarter.patients("vessels")
    await exam.made(a_screening(exam.cast, "severe"))
    await exam.made(a_consent(exam.cast))
    return await _tried(quarter, exam)


@fault("nurse-of-rank-one", turn=0)
async def young(quarter: Quarter) -> Left:
    [exam] = await quarter.patients("vessels")
    await exam.permitted()
    who = {"reference": await joined(quarter, "young nurse", "junior-nurse", ("ct-nurse",), *but("none"))}
    injection = an_injection(exam.cast)
    injection["performer"][0]["actor"] = who
    return await _tried(quarter, exam, injection)


@fault("reagent-used-unaccepted", turn=0)
async def unaccepted(quarter: Quarter) -> Left:
    [exam] = await quarter.patients("vessels")
    await exam.permitted()
    lot = a_lot("Q-FDG") | {"code": {"coding": [{"system": "http://www.whocc.no/atc", "code": "V09IX04"}]}}
    injection = an_injection(exam.cast) | {
        "medicationReference": {"reference": (await loaded(quarter.department, [("fdg", lot)]))["fdg"]}
    }
    return await _tried(quarter, exam, injection)


@fault("observation-released-early", turn=0)
async def early(quarter: Quarter) -> Left:
    [exam] = await quarter.patients("vessels")
    await exam.permitted()
    await quarter.department.fresh()
    await exam.contrast()
    await quarter.department.wait(minutes=10)
    [watch] = await quarter.department.found(f"Task?code=observation&focus={exam.given}")
    by = {"name": "by", "valueReference": {"reference": quarter.at["nurse"]}}
    said = {"resourceType": "Parameters", "parameter": [by, {"name": "cannulaRemoved", "valueBoolean": True}]}
    left = refusal(await quarter.department.post(f"Task/{watch['id']}/$release", said))
    await quarter.department.wait(minutes=21)
    await exam.released()
    return left


def reaction(id: str, url: str) -> None:
    """A reaction that is closed without something."""

    @fault(id, turn=0)
    async def bare(quarter: Quarter) -> Left:
        exam = next(one for one in quarter.exams if one.given)
        now = quarter.department.clock.now().isoformat(timespec="seconds")
        phase = {"url": f"{C}/StructureDefinition/reaction-phase", "valueCode": "closed"}
        nurse = {"reference": quarter.at["nurse"]}
        measure = {
            "url": f"{C}/StructureDefinition/measures",
            "extension": [{"url": "note", "valueString": "抗组胺药"}, {"url": "by", "valueReference": nurse}],
        }
        effect = {"url": f"{C}/StructureDefinition/effect-on-result", "valueString": "无影响"}
        coded = "http://terminology.hl7.org/CodeSystem"
        event = {
            "resourceType": "AdverseEvent", "actuality": "actual", "subject": exam.cast.subject, "date": now, "recorder": nurse,
            "suspectEntity": [{"instance": {"reference": exam.given}}],
            "event": {"coding": [{"system": f"{C}/CodeSystem/reaction-type", "code": "physiologic"}]},
            "severity": {"coding": [{"system": f"{coded}/adverse-event-severity", "code": "mild"}]},
            "outcome": {"coding": [{"system": f"{coded}/adverse-event-outcome", "code": "resolved"}]},
            "extension": [one for one in (phase, measure, effect) if not one["url"].endswith(url)],
        }  # fmt: skip
        return refusal(await quarter.department.post("AdverseEvent", event))


reaction("reaction-without-effect", "effect-on-result")
reaction("reaction-without-measures", "measures")


def correction(id: str, *steps: str) -> None:
    """A nonconformity that is closed without what closing takes."""

    @fault(id, turn=0)
    async def closed(quarter: Quarter) -> Left:
        from .rounds import STATE, settled

        place = await settled(quarter, "nonconformity", f"{id}", until=len(steps))
        kept = await quarter.department.get(place)
        return refusal(
            await quarter.department.put(kept | {"businessStatus": {"coding": [{"system": STATE, "code": "closed"}]}})
        )


correction("nonconformity-without-cause")
correction("nonconformity-effect-unverified", "analysed", "planned", "carried-out")


# --- reports


async def _draft(quarter: Quarter) -> Exam:
    [exam] = await quarter.read("head")
    return exam


@fault("report-unsigned", turn=0)
async def unsigned(quarter: Quarter) -> Left:
    exam = await _draft(quarter)
    kept = await quarter.department.get(exam.report)
    return refusal(await quarter.department.put(kept | {"status": "final"}))


@fault("report-signed-once", turn=0)
async def alone(quarter: Quarter) -> Left:
    """One signature releases nothing; as an emergency it is refused, for the exam is none."""
    exam = await _draft(quarter)
    jws = await exam.jws(exam.report, "second reader", "author")
    reason = {"coding": [{"system": f"{C}/CodeSystem/emergency-release-reason", "code": "emergency-duty"}]}
    given = [("jws", "String", jws), ("role", "Code", "author"), ("emergency", "CodeableConcept", reason)]
    body = {"resourceType": "Parameters", "parameter": [{"name": n, f"value{kind}": value} for n, kind, value in given]}
    return refusal(await quarter.department.post(f"{exam.report}/$sign", body))


def second_by(id: str, first: str, second: str) -> None:
    """A report that somebody reviews who may not."""

    @fault(id, turn=0)
    async def reviewed(quarter: Quarter) -> Left:
        exam = await _draft(quarter)
        await _reviewers(quarter)
        exam.cast.staff |= {name: quarter.at[name] for name in ("four years", "back from leave")}
        author = await exam.jws(exam.report, first, "author")
        assert (await exam.signed(exam.report, author, "author")).is_success
        jws = await exam.jws(exam.report, second, "reviewer", jws_sha256(author))
        return refusal(await exam.signed(exam.report, jws, "reviewer"))


async def _reviewers(quarter: Quarter) -> None:
    if "four years" in quarter.at:
        return
    practice = held("imaging-diagnosis", "2022-11-01")
    await joined(
        quarter, "four years", "attending-physician", ("radiologist", "level-c"), *but("imaging-diagnosis", practice)
    )
    await joined(
        quarter, "back from leave", "attending-physician", ("radiologist", "level-c"), *but("none"), since="2026-10-01"
    )
    post = await quarter.department.get(quarter.at["back from leave role"])
    earlier = {name: value for name, value in post.items() if name not in ("id", "meta")} | {
        "period": {"start": "2019-01-01", "end": "2026-02-01"}
    }
    await loaded(quarter.department, [("earlier duty", earlier)])
    await quarter.department.settle()
    await quarter.department.fresh()


second_by("report-self-reviewed", "second reader", "second reader")
second_by("chain-below-policy", "second reader", "first reader")
second_by("signer-of-four-years", "first reader", "four years")
second_by("back-from-leave-unassessed", "first reader", "back from leave")


@fault("report-destroyed-early", turn=0)
async def destroyed(quarter: Quarter) -> Left:
    return refusal(await quarter.department.his.delete(f"/fhir/{quarter.exams[0].report}"))


def text(id: str, without: str = "", instead: str = "") -> None:
    """A report whose text lacks a section, or says the other side."""

    @fault(id, turn=0)
    async def spoilt(quarter: Quarter) -> Left:
        [exam] = await quarter.patients("kidney")
        await exam.finished()
        await quarter.department.settle()
        bundle = papers.draft(exam.cast, exam.kind)
        report, words = (entry["resource"] for entry in bundle["entry"])
        words["section"] = [one for one in words["section"] if one["code"]["coding"][0]["code"] != without]
        if without:
            del report["conclusion"]
        for one in words["section"]:
            if instead and one["code"]["coding"][0]["code"] in ("59776-5", "19005-8"):
                one["text"]["div"] = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{instead}</p></div>'
        answer = await quarter.department.post("", bundle)
        if not answer.is_success:
            return refusal(answer)
        from slipring_demo.story import made_by

        exam.report = made_by(answer.json())[0]
        await quarter.department.fresh()
        now = quarter.department.clock.now()
        from slipring.signing.certificate import issue, make_authority, make_key_and_csr
        from slipring.signing.jws import sign_payload

        authority = make_authority(quarter.department.data_dir / "signing", now=now)
        key, csr = make_key_and_csr("first reader")
        chain = issue(authority, csr, exam.cast.staff["first reader"], "first reader", now=now)
        jws = sign_payload(await exam.payload(exam.report, "author"), key, chain, "author", "", now)
        return refusal(await exam.signed(exam.report, jws, "author"))


text("impression-missing", without="19005-8")
text("wrong-side-in-the-report", instead="左肾见结石，右肾切除术后。左肾结石。")


@fault("baseline-without-approver", turn=0)
async def unapproved(quarter: Quarter) -> Left:
    """Who entered the values of a status test approves them himself."""
    who = reference(quarter.at["technical lead"])
    value = {"name": "value", "part": [
        {"name": "test", "valueCode": "water"}, {"name": "quantity", "valueQuantity": {"value": 0.5, "code": "[hnsf'U]"}},
    ]}  # fmt: skip
    given = [value, {"name": "kind", "valueCode": "status"}, {"name": "performer", "valueReference": who[1]}]
    body = {"resourceType": "Parameters", "parameter": given}
    entered = await quarter.department.post(f"{quarter.at['scanner']}/$enter-qc", body)
    assert entered.is_success, entered.text
    answer = entered.json()
    task = (
        answer
        if answer["resourceType"] == "Task"
        else next(p["resource"] for p in answer["parameter"] if p["name"] == "return")
    )
    settled = {
        "resourceType": "Parameters",
        "parameter": [{"name": "decision", "valueCode": "approved"}, {"name": "performer", "valueReference": who[1]}],
    }
    return refusal(await quarter.department.post(f"Task/{task['id']}/$review-qc", settled))


@fault("exam-without-system", turn=0)
async def systemless(quarter: Quarter) -> Left:
    [kept] = await quarter.department.found("ActivityDefinition?_id=o-exam-ct-head")
    bare = {name: value for name, value in kept.items() if name not in ("id", "meta", "topic")}
    return refusal(await quarter.department.post("ActivityDefinition", bare | {"status": "active", "version": "9"}))
