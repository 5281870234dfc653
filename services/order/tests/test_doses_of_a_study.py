"""Reports of one study: read back as they were said, each event counted once in any order."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from slipring_order.dose.observation import as_observation
from slipring_order.dose.printed import exact_json
from slipring_order.dose.reading import read_dose_report
from slipring_order.dose.several import STUDY, keyed, one_study
from slipring_order.dose.stored import as_report

from tests.support.desk import A_NOON
from tests.support.dose import a_report, an_event

ZONE = ZoneInfo("Asia/Shanghai")
CHEST = "T-D3000"

events = st.lists(
    st.builds(
        lambda ctdi, dlp, region, named, n: an_event(ctdi, dlp, uid=f"1.{n}" if named else "", region=region),
        st.one_of(st.none(), st.decimals(0, 200, places=2).map(str)),
        st.one_of(st.none(), st.decimals(0, 5000, places=3).map(str)),
        st.sampled_from(["", CHEST, "T-D1100", "818981001"]),
        st.booleans(),
        st.integers(1, 10**6),
    ),
    max_size=5,
    unique_by=str,
)


@settings(max_examples=30, deadline=None)
@given(events, st.decimals(0, 9000, places=2))
def test_an_observation_read_back_says_what_the_report_said(described: list[Dataset], total: Decimal) -> None:
    report = read_dose_report(a_report(*described, total=str(total)))
    written = exact_json(as_observation(report, request=None, subject=None, now=A_NOON))
    back = as_report(json.loads(written, parse_float=Decimal), ZONE)
    assert back.total_dlp_mgy_cm == report.total_dlp_mgy_cm
    assert back.study_uid == report.study_uid and back.sop_instance_uid == report.sop_instance_uid
    told = [(e.uid, e.ctdi_vol_mgy, e.dlp_mgy_cm, e.region_code, e.protocol) for e in report.events]
    assert [(e.uid, e.ctdi_vol_mgy, e.dlp_mgy_cm, e.region_code, e.protocol) for e in back.events] == told


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sets(st.integers(1, 6), min_size=1), min_size=1, max_size=5), st.randoms())
def test_the_reports_of_a_study_say_the_same_in_any_order_and_never_more_than_their_events(
    told: list[set[int]], shuffle: Any
) -> None:
    def report(uid: int, numbers: set[int]) -> Any:
        described = [an_event("1", f"{n}.5", uid=f"1.{n}") for n in sorted(numbers)]
        return read_dose_report(
            a_report(*described, total=str(sum(n + Decimal("0.5") for n in numbers)), uid=f"9.{uid}")
        )

    reports = [report(uid, numbers) for uid, numbers in enumerate(told, 1)]
    once = one_study(reports)
    shuffle.shuffle(reports)
    again = one_study([*reports, *reports])
    every = set().union(*told)
    assert once.dlp_mgy_cm == again.dlp_mgy_cm == sum((n + Decimal("0.5") for n in every), Decimal(0))
    assert set(keyed(once.events)) == set(keyed(again.events)) == {(f"1.{n}",) for n in every}


def totals_alone(total: str, uid: str, minutes: int) -> Any:
    report = read_dose_report(a_report(total=total, uid=uid))
    return replace(report, scope=STUDY, written_at=A_NOON + timedelta(minutes=minutes))


def with_events(total: str, uid: str, minutes: int, *dlps: str | None) -> Any:
    described = [an_event("1", dlp, uid=f"{uid}.{n}") for n, dlp in enumerate(dlps)]
    report = read_dose_report(a_report(*described, total=total, uid=uid))
    return replace(report, written_at=A_NOON + timedelta(minutes=minutes))


def test_a_later_total_of_the_whole_study_holds_what_was_written_before_it() -> None:
    told = with_events("500", "9.1", 0, "200", "300")
    for total, together in (("500", 500), ("700", 700), ("450", 500)):
        assert one_study([told, totals_alone(total, "9.2", 5)]).dlp_mgy_cm == together
    after = with_events("100", "9.3", 9, "100")
    assert one_study([told, totals_alone("500", "9.2", 5), after]).dlp_mgy_cm == 600


def test_reports_that_share_events_come_to_no_less_than_one_of_them_states() -> None:
    first = with_events("500", "9.1", 0, "200", "300")
    shared = read_dose_report(
        a_report(an_event("1", "300", uid="9.1.1"), an_event("1", None, uid="9.9"), total="700", uid="9.4")
    )
    assert one_study([first, shared]).dlp_mgy_cm == 700
