"""Every road to a report and its parts, walked by somebody who may not see it."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.support.draft import Walk

BASES = ("/fhir", "/report/fhir")
NEVER = "r-00000000-0000-4000-8000-000000000000"
PATCH = {"Content-Type": "application/json-patch+json"}
Tree = dict[str, Any]


async def absent(walk: Walk, method: str, path: str, reference: str, body: Any = None, **headers: str) -> None:
    """The same answer as about what never was."""
    told = []
    kind, _, name = reference.partition("/")
    for one in (name, NEVER):
        sent = json.loads(json.dumps(body).replace("ID", one)) if body is not None else None
        answer = await walk.ask(method, path.replace("REF", f"{kind}/{one}"), sent, **headers)
        told.append((answer.status_code, answer.text.replace(one, "ID"), answer.headers.get("etag")))
    assert told[0] == told[1], (method, path, reference)
    assert told[0][0] in (404, 412), told[0]


async def by_address(walk: Walk) -> None:
    for base in BASES:
        for reference in walk.everything:
            kind = reference.partition("/")[0]
            whole = json.loads(await walk.seen(f"{base}/{reference}"))
            for query in ("", "?_summary=true", "?_elements=status"):
                await absent(walk, "GET", f"{base}/REF{query}", reference)
            await absent(walk, "HEAD", f"{base}/REF", reference)
            await absent(walk, "GET", f"{base}/REF", reference, **{"If-None-Match": 'W/"1"'})
            await absent(walk, "GET", f"{base}/REF/_history/1", reference)
            await absent(walk, "GET", f"{base}/REF/_history", reference)
            await absent(walk, "GET", f"{base}/REF/$meta", reference)
            await absent(walk, "PUT", f"{base}/REF", reference, {**whole, "id": "ID"}, **{"If-Match": 'W/"1"'})
            await absent(walk, "PATCH", f"{base}/REF", reference, [], **PATCH)
            await absent(walk, "DELETE", f"{base}/REF", reference)
            for kindof in ("batch", "transaction"):
                for url in (reference, f"{reference}/_history/1", f"{kind}?_id={reference.partition('/')[2]}"):
                    bundle = {
                        "resourceType": "Bundle",
                        "type": kindof,
                        "entry": [{"request": {"method": "GET", "url": url}}],
                    }
                    await nothing(walk, await walk.ask("POST", base, bundle))
        for operation in ("$verify", "$proof", "$signing-input", "$sign", "$flag-critical"):
            role = [{"name": "role", "valueCode": "author"}, {"name": "jws", "valueString": "x"}]
            role.append({"name": "finding", "valueCoding": {"code": "x"}})  # type: ignore[dict-item]
            await absent(
                walk, "POST", f"{base}/REF/{operation}", walk.report, {"resourceType": "Parameters", "parameter": role}
            )


async def nothing(walk: Walk, answer: httpx.Response) -> None:
    """An answer that names nothing of the draft, beyond what was asked with."""
    found = [entry["resource"] for entry in answer.json().get("entry", []) if "resource" in entry]
    # The link of a search inside a Bundle repeats what was asked; a case and its hand-over name what they are about.
    parts = [one for one in found if one["resourceType"] not in ("Task", "Communication")]
    said = json.dumps([{name: value for name, value in one.items() if name != "link"} for one in parts])
    for reference in walk.everything:
        assert reference.partition("/")[2] not in said, (answer.url, reference)


def searches(walk: Walk) -> list[str]:
    ids = {
        kind: []
        for kind in (
            "DiagnosticReport",
            "Composition",
            "Observation",
            "Provenance",
            "DetectedIssue",
            "DocumentReference",
        )
    }
    for reference in walk.everything:
        kind, _, name = reference.partition("/")
        ids[kind].append(name)
    found = [f"{kind}?_id={','.join(names)}" for kind, names in ids.items()]
    found += [f"{kind}?_sort=-_lastUpdated&_count=500" for kind in ids]
    report = walk.report
    return [
        *found,
        f"DiagnosticReport?subject={walk.patient}&_sort=date&_elements=status",
        f"DiagnosticReport?status=preliminary&subject={walk.patient}",
        f"Observation?focus={report}",
        f"Provenance?target={report}",
        f"DetectedIssue?implicated={report}",
        f"DocumentReference?related={report}",
        f"DiagnosticReport?_has:Provenance:target:_id={ids['Provenance'][0]}",
        f"Composition?subject={walk.patient}&_revinclude=Provenance:target",
        f"Provenance?target.status=preliminary&target:DiagnosticReport._id={report.partition('/')[2]}",
        f"Provenance?target:DiagnosticReport.status=preliminary&target={report}",
        f"DetectedIssue?implicated:DiagnosticReport.subject={walk.patient}",
    ]


async def by_search(walk: Walk) -> None:
    for base in BASES:
        for search in searches(walk):
            answer = await walk.ask("GET", f"{base}/{search}")
            if answer.status_code == 400:
                assert (await walk.story.department.his.get(f"{base}/{search}")).status_code == 400
                continue
            assert answer.status_code == 200, answer.text
            await nothing(walk, answer)
            if "_id=" in search and "_has" not in search and "target" not in search:
                for counting in ("_summary=count", "_total=accurate", "_count=0"):
                    assert (await walk.ask("GET", f"{base}/{search}&{counting}")).json()["total"] == 0
                kind, _, query = search.partition("?")
                form = {"Content-Type": "application/x-www-form-urlencoded"}
                posted = await walk.his.post(f"{base}/{kind}/_search", content=query, headers=form)
                assert posted.json()["total"] == 0
        for history in (
            "_history?_count=1000",
            "DiagnosticReport/_history?_count=1000",
            "Provenance/_history?_count=500",
        ):
            await nothing(walk, await walk.ask("GET", f"{base}/{history}"))
    patient = walk.patient
    for path in (
        f"/fhir/{patient}/$everything?_count=500",
        f"/report/fhir/{patient}/$everything?_count=500",
        f"/fhir/Patient?_id={patient.partition('/')[2]}&_revinclude=DiagnosticReport:subject&_revinclude:iterate=Provenance:target",
        f"/fhir/Patient?_id={patient.partition('/')[2]}&_revinclude=Observation:subject",
        f"/fhir/ServiceRequest?subject={patient}&_revinclude=DiagnosticReport:based-on&_include:iterate=DiagnosticReport:result",
        "/fhir/Task?code=critical-case&_include=Task:focus",
        "/fhir/Communication?_include=*&_count=100",
    ):
        await nothing(walk, await walk.ask("GET", path))


async def by_copies(walk: Walk) -> None:
    """Chains through copies that other services follow are no way round."""
    request = walk.story.cast.request["id"]
    for path in (
        f"/order/fhir/ServiceRequest?_id={request}&_has:DiagnosticReport:based-on:status=preliminary",
        f"/fhir/ServiceRequest?_id={request}&_has:DiagnosticReport:based-on:status=preliminary",
        f"/critical/fhir/Task?code=critical-case&focus:Observation._id={walk.flag.partition('/')[2]}",
        f"/fhir/Task?code=critical-case&focus:Observation._id={walk.flag.partition('/')[2]}",
    ):
        answer = await walk.ask("GET", path)
        assert answer.status_code == 200 and not answer.json().get("entry"), path
        assert json.loads(await walk.seen(path)).get("entry"), path


async def by_condition(walk: Walk) -> None:
    name = walk.report.partition("/")[2]
    for base in BASES:
        for method, body, headers in (("PATCH", [], PATCH), ("DELETE", None, {})):
            for query in (f"DiagnosticReport?_id={name}", f"Provenance?target={walk.report}"):
                answer = await walk.ask(method, f"{base}/{query}", body, **headers)
                assert answer.status_code in (204, 404) and name not in answer.text.replace(query, ""), answer.text
    before = json.loads(await walk.seen(f"/report/fhir/{walk.report}"))
    assert before["status"] == "preliminary"
