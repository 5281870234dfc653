"""What the department learns in a quarter: second readings, rounds with others, and its figures."""

from __future__ import annotations

from typing import Any

from slipring_demo.teller import parameters, value_of
from slipring_order.catalogue import SYSTEMS

from .living import Quarter
from .loading import FIRST, LAST, loaded
from .rounds import called, reference
from .standing import document

Tree = dict[str, Any]


async def read_again(quarter: Quarter) -> None:
    """A report is drawn and read again, blind, by another."""
    reader, by = quarter.at["third reader"], reference(quarter.at["head"])
    drawn = await called(
        quarter,
        "DiagnosticReport/$draw-rereading",
        size=("Integer", 1),
        seed=("String", "2026-Q3"),
        reader=reference(reader),
        by=by,
    )
    case = value_of(drawn, "case")["reference"]
    client = await quarter.department.client_of("third-reader", reader, "user/*.cruds slipring/draft-read")
    seen = parameters(impression=("String", "未见明显异常。"), category=("Code", "negative"))
    agreed = parameters(grade=("Code", "agree"), firstCategory=("Code", "negative"))
    for said in (seen, agreed):
        answer = await quarter.department.post(f"{case}/$re-read", said, client)
        assert answer.status_code == 200, answer.text
    await client.aclose()


async def a_round(quarter: Quarter, due: str) -> str:
    """A round of external quality assessment of all six systems is planned."""
    said = parameters(
        kind=("Code", "proficiency-testing"), scheme=("String", "省质控中心(虚构)"), partner=("String", "唯一计划"),
        exam=("String", "头颅平扫"), due=("Date", due), performer=reference(quarter.at["physicist"]),
    )  # fmt: skip
    said["parameter"] += [{"name": "system", "valueCode": code} for code in SYSTEMS]
    answer = await quarter.department.post("QuestionnaireResponse/$plan-eqa", said)
    assert answer.is_success, answer.text
    return f"QuestionnaireResponse/{answer.json()['id']}"


async def answered(quarter: Quarter, place: str, score: int) -> None:
    """The round is answered, and its result comes with a certificate."""
    today = quarter.department.clock.now().date().isoformat()
    certificate = (
        await loaded(quarter.department, [("certificate", document("eqa-certificate", today, "2027-12-31"))])
    )["certificate"]
    await called(
        quarter, f"{place}/$record-eqa", sent=("Date", today), returned=("Date", today), criterion=("Code", "percent"),
        score=("Decimal", score), performer=reference(quarter.at["physicist"]), certificate=reference(certificate),
    )  # fmt: skip


async def closed(quarter: Quarter) -> None:
    """After the quarter: indications are reviewed, and every figure of the quarter is closed."""
    span = {"periodStart": ("Date", FIRST), "periodEnd": ("Date", LAST)}
    await called(quarter, "ServiceRequest/$indication-review", **span)
    for measure in await quarter.department.found("Measure?status=active&_count=200"):
        await quarter.department.post(f"Measure/{measure['id']}/$close-period", parameters(**span))
