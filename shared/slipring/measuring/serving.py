"""What a service that feeds indicators serves: its Measures, `$evaluate-measure`, `$SERVICE-indicators` and `$close-period`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from slipring.fhir.outcome import conflict, not_found, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Keeps, Operation, Parameter, Resource, Save, Write
from slipring.measuring.asking import MEMBERS, PARTS, PERIOD, SPANS, Question, chosen, portion, question
from slipring.measuring.evaluated import evaluated
from slipring.measuring.measure import measures
from slipring.measuring.report import as_report, report_key
from slipring.measuring.spelling import REPORT_SYSTEM, measure_id
from slipring.measuring.targets import approved, demand_by_operation, proposed, with_targets, withdrawn
from slipring.qc.indicators.asked import Counting
from slipring.qc.indicators.definition import Definition, definitions, every_version

Supply = Callable[[Desk, Question], Awaitable[Counting]]
_KINDS = ("summary", "subject-list")
_REPORT = Parameter("return", "MeasureReport", use="out", min=1)


@dataclass(frozen=True, slots=True)
class Indicators:
    """The indicators of one service.

    `supplies`: populations that are no rows but reckoned when asked for. `tells`: types that the members are of.
    `systems`: codes of the body systems that its records tell apart.
    """

    service: str
    letter: str
    tells: tuple[str, ...]
    supplies: Mapping[str, Supply] = field(default_factory=dict)
    systems: tuple[str, ...] = ()

    @property
    def shipped(self) -> tuple[Resource, ...]:
        """Every version of every definition, as the store has it from the start on."""
        return measures(self.service, self.letter)

    @property
    def keeps(self) -> tuple[Keeps, Keeps]:
        """Measures and their reports: what is shipped, and what is closed, nobody changes."""
        return Keeps("Measure", on_write=self._measure_written), Keeps(
            "MeasureReport", on_write=report_written, record=True
        )

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations, as the CapabilityStatement lists them."""
        return (
            Operation(
                "Measure",
                "evaluate-measure",
                self.evaluate,
                title="Evaluate an indicator over a period, with its interval and, if asked for, its members",
                affects_state=False,
                tells=self.tells,
                parameters=(
                    *PERIOD,
                    *PARTS,
                    Parameter("reportType", "code", documentation="summary | subject-list"),
                    Parameter("per", "code", documentation="month | week | day: the parts of the period as well"),
                    Parameter("members", "code", documentation=f"whom a subject-list names: {' | '.join(MEMBERS)}"),
                    Parameter("count", "integer", documentation="how many members are told, 200 without it"),
                    Parameter("offset", "integer", documentation="after how many"),
                    _REPORT,
                ),
            ),
            Operation(
                "Measure",
                f"{self.service}-indicators",
                self.evaluate_all,
                level="type",
                title="Evaluate all indicators of this service over a period",
                affects_state=False,
                tells=self.tells,
                parameters=(
                    *PERIOD,
                    *PARTS,
                    Parameter("per", "code", documentation="month | week | day: the parts of the period as well"),
                    Parameter("report", "MeasureReport", use="out", max="*", documentation="one per indicator"),
                ),
            ),
            Operation(
                "Measure",
                "propose-target",
                self.propose,
                title="Draft a target of the department for an indicator",
                parameters=(
                    Parameter("value", "decimal", min=1, documentation="a share from 0 to 1; of values in their unit"),
                    Parameter("at", "code", min=1, documentation="least | most"),
                    Parameter("reason", "string", min=1),
                    Parameter("start", "date", documentation="from which day on; from the approval without it"),
                    Parameter("return", "Measure", use="out", min=1),
                ),
            ),
            Operation(
                "Measure",
                "approve-target",
                self.approve,
                title="Put a drafted target in force, as a second person",
                parameters=(
                    Parameter("draft", "Reference", min=1, documentation="the drafted target"),
                    Parameter("return", "Measure", use="out", min=1),
                ),
            ),
            Operation(
                "Measure",
                "withdraw-target",
                self.withdraw,
                title="Take a drafted target back before it is approved",
                parameters=(
                    Parameter("draft", "Reference", min=1, documentation="the drafted target"),
                    Parameter("return", "Measure", use="out", min=1),
                ),
            ),
            Operation(
                "Measure",
                "close-period",
                self.close,
                title="Store the figure of a period that is over, for good",
                tells=self.tells,
                parameters=(*PERIOD, *PARTS, _REPORT),
            ),
        )

    async def evaluate(self, call: Call, desk: Desk) -> Changes:
        """One indicator; nothing is stored."""
        definition = self._named(call)
        asked = await question(call, desk, [definition], self.systems)
        kind = chosen(call, "reportType", _KINDS, "summary")
        counting = await self._counting(definition, asked, desk)
        aimed = await with_targets([definition], asked, desk)
        [found] = await evaluated(asked, aimed, counting, chosen(call, "per", SPANS))
        if kind == "summary":
            return Changes(answer=as_report(found, id=desk.new_id(), now=desk.now))
        of, (limit, offset) = chosen(call, "members", MEMBERS, "numerator"), portion(call)
        members = await found.members(of, counting, limit, offset)
        return Changes(answer=as_report(found, id=desk.new_id(), now=desk.now, members=members, of=of))

    async def evaluate_all(self, call: Call, desk: Desk) -> Changes:
        """The newest version of every indicator that can tell the part of the department asked for."""
        newest = [*definitions(self.service).values()]
        asked, per = await question(call, desk, newest, self.systems), chosen(call, "per", SPANS)
        fitting = await with_targets([one for one in newest if asked.fits(one)], asked, desk)
        rows = [one for one in fitting if one.population not in self.supplies]
        found = await evaluated(asked, rows, desk.counting, per)
        for one in fitting:
            if one.population in self.supplies:
                found += await evaluated(asked, [one], await self._counting(one, asked, desk), per)
        reports = [as_report(one, id=desk.new_id(), now=desk.now) for one in found]
        answer = [{"name": "report", "resource": one} for one in reports]
        return Changes(answer={"resourceType": "Parameters", "parameter": answer})

    async def close(self, call: Call, desk: Desk) -> Changes:
        """Store the figure of a period that is over; a period that was closed already keeps what it said."""
        definition = self._named(call)
        asked = await question(call, desk, [definition], self.systems)
        if not asked.closed:
            raise unprocessable(
                "The period is not over yet.",
                "时段尚未结束。",
                at=call.at("periodEnd"),
                code="value",
                detail="measuring.period-open",
            )
        aimed = await with_targets([definition], asked, desk)
        [found] = await evaluated(asked, aimed, await self._counting(definition, asked, desk))
        key = report_key(found)
        held = await desk.search(f"MeasureReport?identifier={REPORT_SYSTEM}|{key.replace('|', chr(92) + '|')}")
        if held:
            return Changes(answer=held[0].resource)
        report = as_report(found, id=desk.new_id(), now=desk.now)
        return Changes(save=[Save(report)], keys=[f"{REPORT_SYSTEM}|{key}"], answer=report)

    async def propose(self, call: Call, desk: Desk) -> Changes:
        """A target of the department's own, as a draft."""
        return await proposed(self._named(call), call, desk)

    async def approve(self, call: Call, desk: Desk) -> Changes:
        """The draft of another person put in force."""
        return await approved(self._named(call), call, desk)

    async def withdraw(self, call: Call, desk: Desk) -> Changes:
        """A draft that is not wanted any more."""
        return await withdrawn(self._named(call), call, desk)

    async def _counting(self, definition: Definition, asked: Question, desk: Desk) -> Counting:
        supply = self.supplies.get(definition.population)
        return await supply(desk, asked) if supply else desk.counting

    def _named(self, call: Call) -> Definition:
        """The definition whose Measure the operation was called on."""
        wanted = str(call.target.resource["id"]) if call.target else ""
        found = {measure_id(one, self.letter): one for one in every_version(self.service)}
        if wanted not in found:
            raise not_found(f"Measure/{wanted}/$evaluate-measure")
        return found[wanted]

    async def _measure_written(self, write: Write, desk: Desk) -> Changes:
        """A definition that is shipped stays as it is: a figure of last year is explained by it."""
        if write.resource["id"] in {measure_id(one, self.letter) for one in every_version(self.service)}:
            raise conflict(
                "A shipped definition is not changed; a new version stands beside it.",
                "随产品发布的指标定义不得修改；新版本另立。",
                at="Measure",
                detail="measuring.definition-frozen",
            )
        demand_by_operation(write.resource, *([write.before.resource] if write.before else []))
        return Changes.none()


async def report_written(write: Write, desk: Desk) -> Changes:
    """The report of a closed period is made by `$close-period` alone, and stays."""
    said: Sequence[Resource] = [write.resource, write.before.resource if write.before else {}]
    if any(one.get("system") == REPORT_SYSTEM for each in said for one in each.get("identifier", [])):
        raise conflict(
            "The report of a closed period is made by $close-period and is not changed.",
            "已关闭时段的指标报告只由 $close-period 生成，不得修改。",
            at="MeasureReport.identifier",
            detail="measuring.report-frozen",
        )
    return Changes.none()
