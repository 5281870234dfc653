"""What counts as critical here and how urgent it is: the shipped union with what the department adds."""

from __future__ import annotations

from slipring.clauses.critical_findings import CriticalFinding, critical_findings
from slipring.fhir.service import Call, Changes, Desk, Resource
from slipring.quality.critical_catalogue import IN_FORCE, in_force, synonyms

from slipring_critical.directory.policy import findings_in_force


async def catalogue_told(call: Call, desk: Desk) -> Changes:
    """Every entry in force with its names, level, ICD-10 codes and synonyms."""
    edition = in_force(await desk.search(IN_FORCE), desk.now)
    said = synonyms(edition)
    entries = [_as_entry(one, said.get(code, ())) for code, one in (await findings_in_force(desk)).items()]
    if edition is not None:
        entries.insert(0, {"name": "edition", "valueReference": {"reference": f"PlanDefinition/{edition['id']}"}})
    return Changes(answer={"resourceType": "Parameters", "parameter": entries})


def _as_entry(one: CriticalFinding, said: tuple[str, ...]) -> Resource:
    parts: list[Resource] = [
        {"name": "code", "valueCode": one.code},
        {"name": "zh", "valueString": one.zh},
        {"name": "en", "valueString": one.en},
        {"name": "level", "valueCode": str(one.level)},
        {"name": "shipped", "valueBoolean": one.code in critical_findings()},
        *({"name": "icd10", "valueCode": code} for code in one.icd10),
        *({"name": "synonym", "valueString": word} for word in said),
    ]
    return {"name": "entry", "part": parts}
