"""Faults of reports and of what a second person approves: each is tried through the API, and the refusal is the evidence."""

from __future__ import annotations

from typing import Any

from slipring.signing.jws import jws_sha256
from slipring_demo.cast import C

from tests.support.staffing import held

from . import papers
from .living import Exam, Quarter
from .loading import loaded
from .rounds import reference
from .wrong import Left, fault, refusal
from .wrong_people import but, joined

Tree = dict[str, Any]


async def _draft(quarter: Quarter) -> Exam:
    return await quarter.next_of("read", "head", 8)


@fault("report-unsigned", turn=0)
async def unsigned(quarter: Quarter) -> Left:
    exam = await _draft(quarter)
    kept = await quarter.department.get(exam.report)
    match = f'W/"{kept["meta"]["versionId"]}"'
    return refusal(await quarter.department.put(kept | {"status": "final"}, If_Match=match))


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


def text(id: str, without: str = "", instead: str = "", kind: str = "kidney") -> None:
    """A report whose text lacks a section, or says the other side."""

    @fault(id, turn=0)
    async def spoilt(quarter: Quarter) -> Left:
        [exam] = await quarter.patients(kind)
        await exam.finished()
        await quarter.department.settle()
        bundle = papers.draft(exam.cast, exam.kind)
        report, words = (entry["resource"] for entry in bundle["entry"])
        words["section"] = [one for one in words["section"] if one["code"]["coding"][0]["code"] != without]
        if without:
            del report["conclusion"]
        for one in words["section"]:
            if instead and one["code"]["coding"][0]["code"] == "19005-8":
                one["text"]["div"] = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{instead}</p></div>'
        report |= {"conclusion": instead} if instead else {}
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
text("wrong-side-in-the-report", instead="左肾结石。", kind="right kidney")


@fault("baseline-without-approver", turn=0)
async def unapproved(quarter: Quarter) -> Left:
    """Who entered the values of a status test approves them himself."""
    who = reference(quarter.at["technical lead"])
    value = {"name": "value", "part": [
        {"name": "test", "valueCode": "water"}, {"name": "quantity", "valueQuantity": {"value": 0.5, "code": "[hnsf'U]", "system": "http://unitsofmeasure.org"}},
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
