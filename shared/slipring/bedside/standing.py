"""Where a contrast exam stands, step by step: what the records say, nothing decided. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from slipring.consents.state import denies, ended_in_error
from slipring.department import names
from slipring.department.exams import Exam
from slipring.department.findings import Found
from slipring.department.road import Tree
from slipring.fhir.service import CANONICAL

EXCEPTION = f"{CANONICAL}/StructureDefinition/emergency-exception"
ANSWERED = ("completed", "amended")
_ENDED = ("cancelled", "entered-in-error", "rejected", "failed")
# Step and state -> how its mark looks; anything else is plain.
_MARKS = {
    "answered": "good", "given": "good", "permitted": "good", "running": "good", "completed": "good", "released": "good",
    "asks": "warn", "begun": "warn", "not-yet": "warn", "exception": "warn", "expired": "bad",
    "refused": "bad", "withdrawn": "bad", "stops": "bad",
    "stopped": "warn", "on-hold": "warn", "over": "bad", "watched": "warn", "recorded": "bad", "late": "bad",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an exam; `until`: when its time is over."""

    name: str
    state: str
    until: datetime | None = None

    @property
    def mark(self) -> str:
        """How its mark looks."""
        return _MARKS.get(self.state, "")


@dataclass(frozen=True, slots=True)
class ContrastExam:
    """One exam with contrast and what consent keeps about it; a list that the roles do not open is None."""

    exam: Exam
    screening: Tree | None = None  # the Task "screen and obtain consent"
    responses: Sequence[Tree] | None = ()
    findings: Sequence[Found] | None = ()  # of the screening, the heaviest first
    tries: Sequence[Found] | None = ()  # what the gate said when permission was asked and refused
    consents: Sequence[Tree] | None = ()
    injections: Sequence[Tree] | None = ()
    tasks: Sequence[Tree] = field(default=())  # observation, notices, what is to be recorded late
    reactions: Sequence[Tree] | None = ()

    @property
    def response(self) -> Tree | None:
        """The answers that count: the newest that are complete, else the newest begun."""
        usable = [one for one in self.responses or [] if one.get("status") in (*ANSWERED, "in-progress")]
        return max(usable, key=lambda one: (one["status"] in ANSWERED, _written(one)), default=None)

    @property
    def consent(self) -> Tree | None:
        """The consent that counts: one that stands, else the newest; what a refusal recorded in error ended is signed again."""
        kept = self.consents or []
        void = [f"Consent/{one['id']}" for one in kept if one.get("status") == "entered-in-error"]
        said = [one for one in kept if one.get("status") != "entered-in-error" and not ended_in_error(one, void)]
        return max(said, key=lambda one: (one["status"] == "active", _written(one)), default=None)

    @property
    def injection(self) -> Tree | None:
        """The newest administration of contrast."""
        kept = [one for one in self.injections or [] if one.get("status") != "entered-in-error"]
        return max(kept, key=_written, default=None)

    @property
    def observation(self) -> Tree | None:
        """The newest observation."""
        return max(_coded(self.tasks, "observation"), key=_written, default=None)

    @property
    def notices(self) -> list[Tree]:
        """What the people at the injector were told and have not yet put aside."""
        return [one for one in _coded(self.tasks, "notice") if one.get("status") not in ("completed", *_ENDED)]

    @property
    def shaken(self) -> bool:
        """Whether anything changed after contrast was permitted, read or not."""
        return any(one.get("status") not in _ENDED for one in _coded(self.tasks, "notice"))

    @property
    def reasons(self) -> list[Found]:
        """What stands against contrast and nobody has answered: in the screening, and at the gate since."""
        found = [*(self.findings or []), *self.objections]
        return [one for one in found if one.open and one.weight != "info"]

    @property
    def objections(self) -> list[Found]:
        """What the gate said last; an answer or a consent that came after it may have settled it."""
        settled = max((_written(one) for one in (self.response, self.consent) if one), default="")
        at = names.moment(settled)
        return [one for one in self.tries or [] if one.open and one.at and not (at and one.at < at)]

    def steps(self, now: datetime) -> list[Step]:
        """Screening, consent, permission, injection, observation, reaction."""
        return [
            Step("screening", self._screening()),
            Step("consent", consent_state(self.consent, now)),
            Step("permission", self._permission()),
            Step("injection", self._injection()),
            self._observation(),
            Step("reaction", "recorded" if self.reactions else "none"),
        ]

    def urgency(self, now: datetime) -> tuple[int, tuple[int, datetime]]:
        """What comes first: an alarm, a reaction, an observation that is over, who is being injected, then the exam's own."""
        states = {step.name: step.state for step in self.steps(now)}
        injected = states["injection"] in ("running", "on-hold")
        ranks = (
            injected and bool(self.notices), states["reaction"] == "recorded" and states["observation"] != "released",
            states["observation"] == "over", injected, states["injection"] == "late", self.exam.state == "in-progress",
            self.exam.state in ("arrived", "ready"), states["observation"] == "watched",
        )  # fmt: skip
        return next((at for at, holds in enumerate(ranks) if holds), len(ranks)), self.exam.urgency

    def _screening(self) -> str:
        response = self.response
        if response is None or response["status"] not in ANSWERED:
            return "begun" if response else "none"
        weights = {one.weight for one in self.findings or [] if one.open}
        return "stops" if "stop" in weights else "asks" if "ask" in weights else "answered"

    def _permission(self) -> str:
        injection = self.injection
        if injection and injection.get("status") in ("in-progress", "on-hold", "completed", "stopped"):
            return (
                "permitted" if injection["status"] != "completed" or not _coded(self.tasks, "nonconformity") else "none"
            )
        return "refused" if self.objections else "none"

    def _injection(self) -> str:
        injection = self.injection
        if injection is None:
            late = [one for one in _coded(self.tasks, "late-record") if one.get("status") not in ("completed", *_ENDED)]
            return "late" if late else "none"
        return {"in-progress": "running"}.get(str(injection["status"]), str(injection["status"]))

    def _observation(self) -> Step:
        task = self.observation
        if task is None:
            return Step("observation", "none")
        until = names.moment(task.get("restriction", {}).get("period", {}).get("end"))
        state = {"in-progress": "watched", "ready": "over", "completed": "released"}.get(str(task["status"]), "none")
        return Step("observation", state, until)


def consent_state(consent: Tree | None, now: datetime) -> str:
    """What a Consent is worth now: none, begun, not-yet, given, exception, expired, refused, withdrawn."""
    if consent is None:
        return "none"
    provision = consent.get("provision", {})
    if consent["status"] == "active":
        starts_at, ends_at = (names.moment(provision.get("period", {}).get(edge)) for edge in ("start", "end"))
        if denies(consent):
            return "refused"
        if ends_at and ends_at <= now:
            return "expired"
        if starts_at and now < starts_at:
            return "not-yet"
        excepted = any(one.get("url") == EXCEPTION for one in consent.get("extension", []))
        return "exception" if excepted else "given"
    return {"rejected": "refused", "inactive": "withdrawn"}.get(str(consent["status"]), "begun")


def _coded(tasks: Iterable[Tree], code: str) -> list[Tree]:
    return [one for one in tasks if code in names.codes(one.get("code"))]


def _written(resource: Tree) -> str:
    return str(resource.get("meta", {}).get("lastUpdated", ""))
