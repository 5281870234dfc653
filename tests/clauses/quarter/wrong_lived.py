"""Faults that take time to happen: they are lived in the weeks after the quarter, under the real clocks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from slipring.signing.jws import jws_sha256
from slipring_demo.cast import C
from slipring_demo.teller import value_of
from slipring_order.resources import TASK_CODE_SYSTEM

from .living import Exam, Quarter
from .rounds import called, made, reference
from .wrong import Left, fault, found

Tree = dict[str, Any]
AFTER = "after"


@fault("critical-told-late", turn=0)
async def late(quarter: Quarter) -> Left:
    exam, case = await _case(quarter)
    await quarter.department.wait(hours=2)
    assert (await exam.read_back(case, "requester")).is_success
    await called(quarter, f"Task/{case['id']}/$act", action=("CodeableConcept", {"text": "treated"}))
    return found(f"Task/{case['id']}", says="told after", when=AFTER, by="api")


@fault("critical-not-read-back", turn=0)
async def unread(quarter: Quarter) -> Left:
    """Somebody answers with the wrong number, and then nobody."""
    exam, case = await _case(quarter)
    assert not (await exam.read_back(case, "requester", check="0000x")).is_success
    return found(f"Task/{case['id']}", says="read it back", when=AFTER, by="api")


@fault("critical-never-told", turn=0)
async def untold(quarter: Quarter) -> Left:
    _, case = await _case(quarter)
    return found(f"Task/{case['id']}", says="read it back", when=AFTER, by="api")


@fault("critical-never-acted-on", turn=0)
async def unacted(quarter: Quarter) -> Left:
    exam, case = await _case(quarter)
    quarter.department.clock.advance(timedelta(minutes=2))
    assert (await exam.read_back(case, "requester")).is_success
    return found(f"Task/{case['id']}", says="done", when=AFTER, by="api")


async def _case(quarter: Quarter) -> tuple[Exam, Tree]:
    exam = await quarter.next_of("read", "vessels", 4)
    return exam, await exam.flagged(exam.report)


@fault("emergency-report-not-followed-up", turn=0)
async def once(quarter: Quarter) -> Left:
    exam = await quarter.next_of("read", "head", 2, "stat")
    alone = await exam.jws(exam.report, "second reader", "author")
    reason = {"coding": [{"system": f"{C}/CodeSystem/emergency-release-reason", "code": "emergency-duty"}]}
    await called(
        quarter,
        f"{exam.report}/$sign",
        jws=("String", alone),
        role=("Code", "author"),
        emergency=("CodeableConcept", reason),
    )
    [second] = await quarter.department.found(f"Task?focus={exam.report}&code=second-read")
    return found(f"Task/{second['id']}", {"report": exam.report, "exam": exam.at}, when=AFTER, by="api")


def overdue(id: str, priority: str, **after: float) -> None:
    """A report that is signed after its time."""

    @fault(id, turn=0)
    async def slow(quarter: Quarter) -> Left:
        exam = await quarter.next_of("read", "head", 2 if priority == "stat" else 8, priority)
        await quarter.department.wait(**after)
        await quarter.department.fresh()
        await exam.signed_by_two()
        [reading] = await quarter.department.found(f"Task?code=reading&focus={exam.cast.exam}")
        return found(f"Task/{reading['id']}", {"exam": exam.at, "report": exam.report}, "late", when=AFTER, by="api")


overdue("green-channel-late", "stat", minutes=90)
overdue("report-late", "routine", days=6)


@fault("images-not-handed-out", turn=0)
async def kept(quarter: Quarter) -> Left:
    exam = await quarter.next_of("read", "head", 8)
    await exam.signed_by_two()
    return found(exam.report, {"exam": exam.at}, when=AFTER, by="api")


@fault("discordance-left-open", turn=0)
async def uncontacted(quarter: Quarter) -> Left:
    exam = quarter.exams[0]
    by = reference(quarter.at["first reader"])
    opened = await called(
        quarter, f"{exam.report}/$open-discordance", kind=("Code", "contradicts-pathology"), aspect=("Code", "nature"),
        description=("String", "read as a cyst"), by=by,
    )  # fmt: skip
    return found(f"Task/{value_of(opened, 'return')['id']}", when=AFTER, by="api")


@fault("consultation-unanswered", turn=0)
async def unanswered(quarter: Quarter) -> Left:
    asker, adviser = reference(quarter.at["first reader"]), reference(quarter.at["head"])
    asked = await called(
        quarter, f"{quarter.exams[1].report}/$consult", by=asker, of=adviser, question=("String", "a cyst?")
    )
    return found(f"Communication/{value_of(asked, 'return')['id']}", when=AFTER, by="api")


@fault("complaint-unanswered", turn=0)
async def ignored(quarter: Quarter) -> Left:
    return found(await _opened(quarter, "complaint"), when=AFTER, by="api")


@fault("nonconformity-left-open", turn=0)
async def uncorrected(quarter: Quarter) -> Left:
    place = await _opened(quarter, "nonconformity")
    kept = await quarter.department.get(place)
    due = (quarter.department.clock.now() + timedelta(days=3)).isoformat(timespec="seconds")
    answer = await quarter.department.put(kept | {"restriction": {"period": {"end": due}}})
    assert answer.status_code == 200, answer.text
    return found(place, says="overdue", when=AFTER, by="api")


async def _opened(quarter: Quarter, kind: str) -> str:
    task: Tree = {
        "resourceType": "Task", "status": "requested", "intent": "order", "description": "waited 等候过久",
        "authoredOn": quarter.department.clock.now().isoformat(timespec="seconds"),
        "code": {"coding": [{"system": TASK_CODE_SYSTEM, "code": kind}]},
    }  # fmt: skip
    return await made(quarter, task)


@fault("no-weekly-conference", turn=0)
async def unmet(quarter: Quarter) -> Left:
    """None is planned any more: time does the rest."""
    return found("*", says="every week", when=AFTER, by="api")


@fault("amended-and-not-told", turn=0)
async def amended(quarter: Quarter) -> Left:
    """It cannot be left undone: who had the old report is told by the release of the new one."""
    exam = quarter.exams[2]
    draft, _ = await exam.amended(exam.report, "corrected", "missed-finding")
    changed = await quarter.department.get(draft) | {"conclusion": "腹部CT平扫：肝囊肿。"}
    answer = await quarter.department.put(changed, If_Match=f'W/"{changed["meta"]["versionId"]}"')
    assert answer.status_code == 200, answer.text
    first = await exam.jws(draft, "first reader", "author")
    assert (await exam.signed(draft, first, "author")).is_success
    second = await exam.jws(draft, "second reader", "reviewer", jws_sha256(first))
    assert (await exam.signed(draft, second, "reviewer")).is_success
    await quarter.department.settle()
    told = await quarter.department.found(f"Communication?subject={exam.cast.subject['reference']}&_count=50")
    notices = [one for one in told if exam.report in str(one.get("about")) and one["sent"] >= "2026-10"]
    assert quarter.at["requester"] in [one["recipient"][0].get("reference") for one in notices]
    return Left(refused=frozenset({"told-by-the-release"}), by="api")
