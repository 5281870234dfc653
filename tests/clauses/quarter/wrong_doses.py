"""Faults of what patients are given."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from slipring_order.dose.observation import as_observation
from slipring_order.dose.printed import exact_json
from slipring_order.dose.report import DoseReport, Event

from .living import Quarter
from .loading import loaded
from .wrong import Left, exam, fault, found
from .wrong_exams import day_in_quarter
from .wrong_house import day_of

_A_GROUP = 20  # so many are judged together


@fault("dose-above-reference")
async def above(quarter: Quarter) -> Left:
    """Twenty heads on one scanner, each with a dose report of half as much again as the level."""
    event = Event(
        uid="", acquisition="", protocol="", region="", length_mm=None, ctdi_vol_mgy=Decimal(90),
        dlp_mgy_cm=Decimal(500), phantom="", phantom_code="", phantom_cm=16,
    )  # fmt: skip
    dose = DoseReport("2.25.1", "2.25.2", "", "", "", "", None, None, None, None, (event,), ())
    touched, doses = {}, []
    day = day_of("dose-above-reference")
    for number in range(_A_GROUP):
        records = await exam(quarter, "head", day_in_quarter("dose-above-reference"))
        touched |= {f"{number} {name}": place for name, place in records.items()}
        made = as_observation(
            replace(dose, sop_instance_uid=f"2.25.{uuid4().int}", started_at=datetime.fromisoformat(f"{day}T02:10:00Z")),
            request={"reference": records["request"]}, subject={"reference": records["patient"]},
            now=quarter.department.clock.now(),
        )  # fmt: skip
        doses.append((f"dose {number}", json.loads(exact_json(made))))
    touched |= await loaded(quarter.department, doses)
    return found("Measure/o-dose-head-ctdivol-1", touched, "CTDIvol")
