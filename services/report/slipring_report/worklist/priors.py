"""What was examined before: the studies and reports of one person, merged records too, one examination once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from slipring.fhir.service import Resource

from slipring_report.reading import code_of, reference_of
from slipring_report.worklist.viewer import link

_NO_IMAGES = frozenset({"cancelled", "entered-in-error"})
_LOINC = "http://loinc.org"


@dataclass(slots=True)
class Examination:
    """One examination: its studies, its reports, and the request that both name, if any."""

    request: str = ""
    studies: list[Resource] = field(default_factory=list)
    reports: list[Resource] = field(default_factory=list)

    @property
    def when(self) -> str:
        """When it was done: by its images, else by its report."""
        said = [str(one["started"]) for one in self.studies if one.get("started")]
        said += [str(one.get("effectiveDateTime") or one.get("issued") or "") for one in self.reports]
        return max(filter(None, said), default="")


def examinations(studies: Iterable[Resource], reports: Iterable[Resource]) -> list[Examination]:
    """Studies and reports by what they were done for, the newest first; what names no request stands alone."""
    found: dict[str, Examination] = {}
    for one in studies:
        if one.get("status") not in _NO_IMAGES:
            _place(found, one).studies.append(one)
    for one in reports:
        _place(found, one).reports.append(one)
    return sorted(found.values(), key=lambda each: (each.when, each.request), reverse=True)


def as_parts(name: str, examination: Examination, template: str) -> Resource:
    """One examination as a parameter with parts: where to look at its images, and what was reported."""
    parts: list[Resource] = []
    if examination.request:
        parts.append({"name": "request", "valueReference": {"reference": examination.request}})
    if examination.when:
        parts.append({"name": "when", "valueDateTime": examination.when})
    for study in examination.studies:
        parts.append({"name": "study", "part": list(_study(study, template))})
    for report in examination.reports:
        parts.append({"name": "report", "part": list(_report(report))})
    return {"name": name, "part": parts}


def _place(found: dict[str, Examination], one: Resource) -> Examination:
    requests = (reference_of(each) for each in one.get("basedOn", []))
    request = next((each for each in requests if each.startswith("ServiceRequest/")), "")
    return found.setdefault(request or f"{one['resourceType']}/{one['id']}", Examination(request))


def _study(study: Resource, template: str) -> Iterator[Resource]:
    yield {"name": "reference", "valueReference": {"reference": f"ImagingStudy/{study['id']}"}}
    modalities = {str(each.get("code")) for each in study.get("modality", [])}
    modalities |= {str(each.get("modality", {}).get("code", "")) for each in study.get("series", [])}
    for modality in sorted(filter(None, modalities)):
        yield {"name": "modality", "valueCode": modality}
    if "description" in study:
        yield {"name": "description", "valueString": study["description"]}
    if address := link(template, study):
        yield {"name": "viewer", "valueUri": address}


def _report(report: Resource) -> Iterator[Resource]:
    yield {"name": "reference", "valueReference": {"reference": f"DiagnosticReport/{report['id']}"}}
    yield {"name": "status", "valueCode": report["status"]}
    tags = {tag.get("code") for tag in report.get("meta", {}).get("tag", [])}
    yield {"name": "imported", "valueBoolean": "imported" in tags}
    words = report.get("code", {}).get("text") or code_of(report.get("code"), _LOINC)
    if words:
        yield {"name": "description", "valueString": words}
