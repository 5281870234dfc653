"""A measured phantom series is a round to be completed by a person and approved by another; only a phantom is measured."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from slipring_order.equipment.round import state_of
from slipring_order.equipment.series import Measured, measure
from slipring_order.handlers.qc_images import NoScanner, series_measured

from tests.support.desk import ADesk
from tests.support.ordering import NOW
from tests.support.phantoms import Phantom
from tests.support.qc_rounds import TESTER, a_qc_desk, approved, enter, round_of, settle, value
from tests.support.rooms import out

pytestmark = pytest.mark.clause("5.6.2.3")
SERIES = "1.2.826.0.1.3680043.8.498.1"


@pytest.fixture(scope="module")
def water(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    folder = tmp_path_factory.mktemp("series")
    files = []
    for number in (1, 2):
        data = Phantom(water_hu=1.5, noise_hu=3.0, seed=number).dataset()
        files.append(folder / f"{number}.dcm")
        data.save_as(files[-1], enforce_file_format=True)
    other = folder / "notes.dcm"
    other.write_bytes(b"no image")
    return measure([*files, other])


async def taken(desk: ADesk, found: Measured) -> list[str]:
    changes = await series_measured("Device/o-ct1", SERIES, NOW - timedelta(hours=1), found, desk)
    desk.carry_out(changes)
    return [save.resource["resourceType"] for save in changes.save]


def test_a_series_gives_the_tests_of_the_standard_with_a_picture_and_counts_what_it_refused(water: Measured) -> None:
    values = {one.test: one.value for one in water.values}
    assert {"water", "uniformity", "noise"} <= set(values)
    assert float(values["water"] or 0) == pytest.approx(1.5, abs=0.5)
    assert float(values["noise"] or 0) == pytest.approx(3.0 / 10 * 0.5**0.5, rel=0.1), "to 10 mm, as a share of 1000 HU"
    assert (water.images, water.refused) == (2, {"not-dicom": 1})
    assert water.picture.startswith(b"\x89PNG") and len(water.picture) < 500_000


def test_a_sharp_kernel_says_nothing_of_the_standard_algorithm(tmp_path: Path) -> None:
    found = set()
    for kernel in ("STANDARD", "BONEPLUS"):
        data = Phantom(wires=[(20, 0, 4000)], noise_hu=2.0).dataset(kernel=kernel)
        data.save_as(tmp_path / "one.dcm", enforce_file_format=True)
        tests = {one.test for one in measure([tmp_path / "one.dcm"]).values}
        found |= {(kernel, "spatial-resolution" in tests)}
    assert found == {("STANDARD", True), ("BONEPLUS", False)}


async def test_a_series_sent_twice_is_one_round_with_its_picture(water: Measured) -> None:
    desk = a_qc_desk()
    kinds = await taken(desk, water)
    assert kinds.count("Task") == 1 and kinds.count("DocumentReference") == 1
    assert await taken(desk, water) == []
    [task] = [one.resource for one in await desk.search("Task?code=qc-round")]
    assert state_of(task) == "measured" and "1 × not-dicom" in task["note"][0]["text"]
    assert {one.resource["status"] for one in await desk.search("Observation?subject=Device/o-ct1")} == {"preliminary"}


async def test_a_person_completes_it_and_another_approves_it(water: Measured) -> None:
    desk = a_qc_desk()
    await approved(desk, value("water", 1.0), kind="acceptance", at=NOW - timedelta(days=20))
    await taken(desk, water)
    [task] = [one.resource for one in await desk.search("Task?code=qc-round") if state_of(one.resource) == "measured"]
    made = await enter(desk, value("couch", 0.5), round=("Reference", {"reference": f"Task/{task['id']}"}))
    assert len(out(made, "result")) == 1 and round_of(made)["owner"] == {"reference": TESTER}
    done = round_of(await settle(desk, round_of(made), "approved"))
    results = [one for one in done["output"] if one["type"]["coding"][0]["code"] == "test-result"]
    assert len(results) == len(water.values) + 1
    assert {one.resource["status"] for one in await desk.search("Observation?subject=Device/o-ct1")} == {"final"}


async def test_what_images_show_to_be_out_of_limits_counts_at_once(water: Measured) -> None:
    desk = a_qc_desk()
    await approved(desk, value("water", -4.0), kind="acceptance", at=NOW - timedelta(days=20))
    await taken(desk, water)
    assert await desk.search("Task?focus=Device/o-ct1&code=nonconformity")


async def test_a_series_without_a_phantom_is_on_record_as_such_and_one_of_no_scanner_is_told() -> None:
    desk = a_qc_desk()
    await taken(desk, Measured(refused={"no-phantom": 3}))
    [task] = [one.resource for one in await desk.search("Task?code=qc-round")]
    assert "3 × no-phantom" in task["note"][0]["text"] and "output" not in task
    with pytest.raises(NoScanner):
        await series_measured("", "1.2.3", None, Measured(), desk)
