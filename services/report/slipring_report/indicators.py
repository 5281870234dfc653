"""Which indicators report feeds, and what each of its records says of them: read from the record alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta, tzinfo

from slipring.fhir.search.moment import moment
from slipring.fhir.service import Resource
from slipring.measuring.serving import Indicators
from slipring.qc.indicators.row import Counted, counted

from slipring_report.learning import answers
from slipring_report.learning.gathering import released_here
from slipring_report.learning.systems import UNKNOWN, names, systems_of
from slipring_report.positivity import result_of
from slipring_report.reading import reference_of
from slipring_report.worklist.carrying import first
from slipring_report.worklist.life import state_of
from slipring_report.worklist.reading_task import is_reading

FORM = "report-1"
INDICATORS = Indicators(
    "report", "r", tells=("Task", "DiagnosticReport", "QuestionnaireResponse"), systems=(*names(), UNKNOWN)
)
_MINUTE = timedelta(minutes=1)
_READ = frozenset({"unread", "claimed", "reported"})
_AMENDED = ("amended", "corrected", "appended")
_AGAINST = {"pathology": "against-pathology", "clinical": "against-clinic"}


def counts(resource: Resource, zone: tzinfo) -> Sequence[Counted]:
    """What indicators count of a resource; nothing of most."""
    reader = _READERS.get(resource["resourceType"])
    return tuple(reader(resource, zone)) if reader else ()


def _task(task: Resource, zone: tzinfo) -> Iterator[Counted]:
    """A reading by when it was due."""
    period = task.get("restriction", {}).get("period", {})
    due, begun, issued = (
        moment(said, zone) for said in (period.get("end"), period.get("start"), first(task, "issued", "output"))
    )
    if not is_reading(task) or state_of(task) not in _READ or due is None:
        return
    marks = [str(first(task, "clock")), str(task.get("priority", "")), "issued" if issued else ""]
    marks.append("in-time" if issued and issued <= due else "")
    took = (issued - begun) / _MINUTE if issued and begun else None
    yield counted("reading", reference_of(task.get("focus")) or f"Task/{task['id']}", due, marks, value=took)


def _report(report: Resource, zone: tzinfo) -> Iterator[Counted]:
    at = moment(report.get("issued"), zone)
    if at is None or not released_here(report):
        return
    result = result_of(report)
    marks = ["amended" if report["status"] in _AMENDED else "", result, "classified" if result else ""]
    [system, *_] = [*systems_of(report), UNKNOWN]
    yield counted("report", f"DiagnosticReport/{report['id']}", at, marks, system=system)


def _response(response: Resource, zone: tzinfo) -> Iterator[Counted]:
    at, form = moment(response.get("authored"), zone), answers.form_of(response)
    if at is None or response.get("status") != "completed":
        return
    report = answers.report_of(response)
    if form == answers.SCORING:
        passed, grade = answers.told(response, "passed") == "yes", answers.told(response, "grade")
        marks = ["passed" if passed else "", f"grade-{grade}", "vetoed" if _vetoed(response) else ""]
        yield counted("report-score", report, at, marks)
    elif form == answers.CONCORDANCE:
        population = _AGAINST.get(str(answers.told(response, "against")))
        if population:
            system, grade = answers.code(response, "system"), answers.code(response, "grade")
            yield counted(population, report, at, [grade], system=system)


def _vetoed(response: Resource) -> bool:
    said = (answer for item in response.get("item", []) for answer in item.get("answer", []))
    return any(answer.get("valueBoolean") is True for answer in said)


_READERS = {"Task": _task, "DiagnosticReport": _report, "QuestionnaireResponse": _response}
