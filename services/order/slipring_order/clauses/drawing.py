"""`Measure/$assessor-sample`: the cases that an assessor is shown, drawn by a seed from the exams of a period (Annex A).

Nothing is stored. Whoever asks again with seed, period and moment is told the same cases, and the same hash of the list
they were drawn from: so a draw is checked by drawing again.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass

from slipring.clauses.register import Words
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call, Changes, Desk, Operation, Parameter, Resource
from slipring.verdicts.operation import Answering
from slipring.verdicts.verdict import digest

from slipring_order.clauses.sample import Case, cases_of, draw, quotas
from slipring_order.clauses.sealed_draw import sealed

_LONGEST_SEED = 100
_SAMPLED = "sample-can-be-drawn"  # the check whose records are drawn from


@dataclass(frozen=True, slots=True)
class Drawing:
    """The draw over what the service answers for."""

    answering: Answering

    def operation(self) -> Operation:
        """The operation as order declares it."""
        text = (Parameter("zh", "string", "out", 1), Parameter("en", "string", "out", 1))
        case = (
            Parameter("exam", "Reference", "out", 1),
            Parameter("request", "Reference", "out", 1),
            Parameter("kind", "code", "out", 1, documentation="plain | enhanced"),
            Parameter("part", "code", "out", documentation="part of the body, of the catalogue"),
            Parameter("system", "code", "out", 0, "*", "B1 to B6"),
        )
        quota = (
            Parameter("kind", "code", "out", 1),
            Parameter("cases", "integer", "out", 1),
            Parameter("parts", "integer", "out", 1),
        )
        return Operation(
            "Measure",
            "assessor-sample",
            self.drawn,
            level="type",
            title="Draw the cases that an assessor is shown, by the quotas of Annex A",
            tells=("ServiceRequest", "Task"),
            affects_state=False,
            parameters=(
                Parameter("seed", "string", min=1, documentation="the same seed draws the same cases"),
                Parameter("periodStart", "date", documentation="the current quarter when nothing is said"),
                Parameter("periodEnd", "date", documentation="the last day that counts"),
                Parameter(
                    "at", "dateTime", documentation="as the records stood at this moment; now when nothing is said"
                ),
                Parameter("sealed", "boolean", documentation="true: with the draw as a sealed proof"),
                Parameter("periodStart", "date", "out", 1),
                Parameter("periodEnd", "date", "out", 1),
                Parameter("at", "instant", "out", 1),
                Parameter("seed", "string", "out", 1),
                Parameter("population", "integer", "out", 1, documentation="exams that could be drawn"),
                Parameter("sha256", "string", "out", 1, documentation="of the list they were drawn from"),
                Parameter("quota", "", "out", 1, "*", parts=quota),
                Parameter("case", "", "out", 0, "*", parts=case),
                Parameter("lacking", "", "out", 0, "*", documentation="what could not be filled", parts=text),
                Parameter("proof", "base64Binary", "out", documentation="where it was asked for sealed"),
            ),
        )

    async def drawn(self, call: Call, desk: Desk) -> Changes:
        """The cases, in the order they were drawn."""
        seed = str(call.value("seed")).strip()
        if not seed or len(seed) > _LONGEST_SEED:
            raise unprocessable(
                f"A seed is 1 to {_LONGEST_SEED} characters.",
                f"种子须为 1 至 {_LONGEST_SEED} 个字符。",
                at=call.at("seed"),
                code="value",
                detail="order.sample-seed",
            )
        look = self.answering.look(call, desk)
        [check] = [one for one in self.answering.checks if one.code == _SAMPLED]
        exams = [one for query in check.of for one in await look.stood(query)]
        cases = await cases_of(look, exams)
        found = await asyncio.to_thread(draw, cases, seed)
        answer: list[Resource] = [
            *look.head,
            {"name": "seed", "valueString": seed},
            {"name": "population", "valueInteger": len(cases)},
            {"name": "sha256", "valueString": digest(f"{one.task} {one.kind} {one.part}" for one in cases)},
        ]
        for kind, quota in quotas().items():
            counts = [{"name": name, "valueInteger": quota[name]} for name in ("cases", "parts")]
            answer.append({"name": "quota", "part": [{"name": "kind", "valueCode": kind}, *counts]})
        answer += [_case(one) for one in found.cases]
        answer += [_lacking(one) for one in found.lacking]
        if call.value("sealed") is True:
            proof = await sealed(answer, found, desk)
            answer.append({"name": "proof", "valueBase64Binary": base64.b64encode(proof).decode()})
        return Changes(answer={"resourceType": "Parameters", "parameter": answer})


def _case(one: Case) -> Resource:
    parts: list[Resource] = [
        {"name": "exam", "valueReference": {"reference": one.task}},
        {"name": "request", "valueReference": {"reference": one.request}},
        {"name": "kind", "valueCode": one.kind},
    ]
    if one.part:
        parts.append({"name": "part", "valueCode": one.part})
    return {"name": "case", "part": [*parts, *({"name": "system", "valueCode": system} for system in one.systems)]}


def _lacking(one: Words) -> Resource:
    return {"name": "lacking", "part": [{"name": "zh", "valueString": one.zh}, {"name": "en", "valueString": one.en}]}
