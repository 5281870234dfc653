"""Two injections of one exam: each observation says which it is after, and keeps saying it when the record is corrected."""

from datetime import timedelta

import pytest
from slipring.fhir.service import Write
from slipring_consent.handlers.injection import contrast_written
from slipring_consent.observing.task import told
from slipring_consent.reading import instant

from tests.support.contrast import a_cleared_department, an_injection
from tests.support.desk import ADesk
from tests.support.lots import a_volume
from tests.support.observing import observed


async def _watched_again(desk: ADesk) -> tuple[str, str]:
    """A second injection of the exam, ten minutes later with half the dose; what each observation says that it is after."""
    await observed(desk)
    desk.now += timedelta(minutes=10)
    again = an_injection(id="c-again", effectiveDateTime=instant(desk.now), dosage={"dose": a_volume(20)})
    given = {**again, "status": "completed"}
    desk.carry_out(await contrast_written(Write("update", given, desk.hold(again)), desk), given)
    tasks = {one.resource["focus"]["reference"]: one.resource for one in await desk.search("Task?code=observation")}
    [first, second] = (tasks[f"MedicationAdministration/{one}"] for one in ("c-injection", "c-again"))
    return str(told(first, "input", "injection")[0]), str(told(second, "input", "injection")[0])


@pytest.mark.clause("5.4.4.1")
async def test_the_observations_after_two_injections_of_one_exam_say_which_is_which() -> None:
    first, second = await _watched_again(a_cleared_department())
    assert first == "2026-03-02 12:00 碘海醇 40 ml / 2026-03-02 12:00 iohexol 40 ml"
    assert second == "2026-03-02 12:10 碘海醇 20 ml（第 2 次） / 2026-03-02 12:10 iohexol 20 ml (no. 2)"


async def test_a_corrected_record_of_an_injection_is_named_anew_and_keeps_its_number() -> None:
    desk = a_cleared_department()
    await _watched_again(desk)
    stands = desk.held["MedicationAdministration/c-again"]
    corrected = {**stands.resource, "dosage": {"dose": a_volume(25)}}
    changes = await contrast_written(Write("update", corrected, stands), desk)
    [task] = [save.resource for save in changes.save]
    assert task["focus"]["reference"] == stands.reference
    assert told(task, "input", "injection")[0].endswith("iohexol 25 ml (no. 2)")
    desk.carry_out(changes, corrected)
    noted = {**corrected, "note": [{"text": "arm down"}]}
    assert (await contrast_written(Write("update", noted, desk.held[stands.reference]), desk)).nothing
