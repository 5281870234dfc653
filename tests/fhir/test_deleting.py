"""DELETE hides what nobody refers to; records are hidden only as drafts or errors; no reference slips in meanwhile."""

from __future__ import annotations

import asyncio

from tests.fhir.place import Place, a_bundle, a_patient, a_request, a_task


async def test_what_is_referred_to_is_not_deleted_and_the_refusal_names_the_referrer(place: Place) -> None:
    patient = await place.make(a_patient())
    request = await place.make(a_request(subject={"reference": f"Patient/{patient['id']}"}))
    refused = await place.ask("DELETE", f"Patient/{patient['id']}")
    assert refused.status_code == 409, refused.text
    assert f"ServiceRequest/{request['id']}" in refused.text
    assert "Synthetic" not in refused.text
    assert (await place.ask("GET", f"Patient/{patient['id']}")).status_code == 200
    assert (await place.ask("DELETE", f"ServiceRequest/{request['id']}")).status_code == 204
    assert (await place.ask("DELETE", f"Patient/{patient['id']}")).status_code == 204


async def test_a_reference_that_was_taken_out_again_holds_nobody(place: Place) -> None:
    patient = await place.make(a_patient())
    task = await place.make(a_task(**{"for": {"reference": f"Patient/{patient['id']}"}}))
    assert (await place.ask("DELETE", f"Patient/{patient['id']}")).status_code == 409
    freed = {name: value for name, value in task.items() if name != "for"}
    assert (await place.ask("PUT", f"Task/{task['id']}", freed)).status_code == 200
    assert (await place.ask("DELETE", f"Patient/{patient['id']}")).status_code == 204


async def test_both_go_in_one_transaction_but_not_when_the_referrer_stays(place: Place) -> None:
    patient = await place.make(a_patient())
    path = f"Patient/{patient['id']}"
    task = await place.make(a_task(**{"for": {"reference": path}}))
    stays = a_bundle(
        "transaction", ("DELETE", path, None), ("PUT", f"Task/{task['id']}", {**task, "status": "accepted"})
    )
    refused = await place.ask("POST", "", stays)
    assert refused.status_code == 409, refused.text
    assert refused.json()["issue"][0]["expression"] == ["Bundle.entry[0].resource"] or "entry[0]" in refused.text
    goes = a_bundle("transaction", ("DELETE", path, None), ("DELETE", f"Task/{task['id']}", None))
    assert (await place.ask("POST", "", goes)).status_code == 200
    assert (await place.ask("GET", path)).status_code == 410


async def test_a_record_is_deleted_only_as_an_error_that_nothing_refers_to(place: Place) -> None:
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "CT"}}
    made = await place.make(report)
    path = f"DiagnosticReport/{made['id']}"
    assert (await place.ask("DELETE", path)).status_code == 409
    assert (await place.ask("PUT", path, {**made, "status": "entered-in-error"})).status_code == 200
    task = await place.make(a_task(focus={"reference": path}))
    assert (await place.ask("DELETE", path)).status_code == 409
    assert (await place.ask("DELETE", f"Task/{task['id']}")).status_code == 204
    assert (await place.ask("DELETE", path)).status_code == 204


async def test_a_reference_made_at_the_same_moment_does_not_slip_in_before_the_deletion(place: Place) -> None:
    """Either the deletion is first, or it is refused: never a deletion stored after a reference to what it hides."""
    slipped, refused = [], 0
    for number in range(60):
        patient = await place.make(a_patient())
        path = f"Patient/{patient['id']}"

        async def later(seconds: float, made: str = path) -> tuple[int, str]:
            await asyncio.sleep(seconds)
            answer = await place.ask("POST", "Task", a_task(**{"for": {"reference": made}}))
            return answer.status_code, answer.json().get("id", "")

        deleted, (status, task) = await asyncio.gather(place.ask("DELETE", path), later(number * 0.0002))
        assert status == 201
        refused += deleted.status_code == 409
        if deleted.status_code == 204:
            rows = await place.rows(
                "SELECT v.sequence FROM version v JOIN resource r USING (key) WHERE r.id = ANY($1) ORDER BY r.type, v.version",
                [patient["id"], task],
            )
            # Sequence numbers are drawn under the locks: the deletion's must be the earlier one.
            if rows[1]["sequence"] > rows[2]["sequence"]:
                slipped.append(path)
    assert not slipped
    assert refused, "they never met"
