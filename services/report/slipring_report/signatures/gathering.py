"""What a decision on a report reads from the desk: its parts, its signatures, its signers."""

from __future__ import annotations

from dataclasses import dataclass

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Desk, Require, Resource, Stored
from slipring.signing.form import SignedForm, signed_form

from slipring_report.amending.amendment import as_it_will_stand
from slipring_report.reading import composition_of, request_of, results_of
from slipring_report.signatures.facts import Mismatch, Signature, mismatch, signatures


@dataclass(frozen=True, slots=True)
class Gathered:
    """A report with all parts that a signature covers."""

    report: Stored
    composition: Stored | None
    results: tuple[Stored, ...]

    @property
    def parts(self) -> list[Stored]:
        """Composition, report, results: the order of the signed form."""
        return [*([self.composition] if self.composition else []), self.report, *self.results]

    @property
    def requires(self) -> list[Require]:
        """Each part at the version read."""
        return [Require(part.reference, part.version) for part in self.parts]

    def form(self) -> SignedForm:
        """The signed form of what is here now; an amendment is signed as it will stand."""
        composition = self.composition.resource if self.composition else None
        report = as_it_will_stand(self.report.resource)
        return signed_form(report, composition, [result.resource for result in self.results])


async def gathered(report: Stored, desk: Desk) -> Gathered:
    """Read the report's parts; one that is not here cannot be signed, so it is refused by name."""
    composition: Stored | None = None
    if named := composition_of(report.resource):
        composition = await _part(named, desk, "DiagnosticReport.extension")
    results = [
        await _part(result, desk, f"DiagnosticReport.result[{position}]")
        for position, result in enumerate(results_of(report.resource))
    ]
    return Gathered(report, composition, tuple(results))


async def _part(reference: str, desk: Desk, at: str) -> Stored:
    part = await desk.read(reference)
    if part is None:
        raise unprocessable(
            "A part of the report is not known here, so the report cannot be signed.",
            "报告的一部分在此处不存在，无法签名。",
            at=at,
            code="not-found",
            detail="report.part-unknown",
        )
    return part


async def signatures_of(report: str, desk: Desk) -> list[Signature]:
    """All signatures on a report, voided ones too, oldest first."""
    return signatures(await desk.search(signatures_sought(report)))


def signatures_sought(report: str) -> str:
    """The search for what is signed on a report."""
    return f"Provenance?target={report}"


async def open_mismatches(report: Resource, desk: Desk) -> list[Mismatch]:
    """What order found in the images of this report's exam and nobody has settled."""
    request = request_of(report)
    if not request:
        return []
    found = [mismatch(issue.resource) for issue in await desk.search(f"DetectedIssue?implicated={request}")]
    return [each for each in found if each is not None]


async def roles_of(practitioner: str, desk: Desk) -> list[Stored]:
    """The roles of a person."""
    return await desk.search(f"PractitionerRole?practitioner={practitioner}")
