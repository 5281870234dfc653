"""What the record of contrast that was given says, and what it leaves out (5.5.3 g, 4.13). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from slipring.fhir.service import Resource

from slipring_consent.catalogue import data_file
from slipring_consent.contrast.agents import Agent
from slipring_consent.contrast.injection import by_hand, injection_of
from slipring_consent.contrast.lots import Lot
from slipring_consent.contrast.stock import given_ml, wasted_ml
from slipring_consent.reading import moment


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """All that RECORD_RULES weigh of one administration that happened; the defaults are a record with nothing against it."""

    missing: tuple[str, ...] = ()  # codes of contrast_record.toml
    planned_ml: Decimal | None = None  # as permission was asked for
    given_ml: Decimal | None = Decimal(60)
    wasted_ml: Decimal | None = None
    pack_ml: Decimal | None = None
    limit_psi: Decimal | None = None
    access_psi: Decimal | None = None
    peak_psi: Decimal | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


def record_facts(
    administration: Resource, before: Resource | None, lot: Lot | None, agent: Agent | None, time_zone: str
) -> RecordFacts:
    """The facts of a record; `before` is the version that permission was given for, if any was."""
    said = injection_of(administration, time_zone)
    started, ended = times_of(administration, time_zone)
    has: Mapping[str, Any] = {
        "agent": agent,
        "lot": lot,
        "expiry": lot and lot.usable_until,
        "strength": lot and lot.strength,
        "volume": said.dose_ml is not None,
        "route": administration.get("dosage", {}).get("route"),
        "site": administration.get("dosage", {}).get("site"),
        "access": said.gauge is not None,
        "temperature": said.temperature_c is not None,
        "operator": any(one.get("actor") for one in administration.get("performer", [])),
        "start": started,
        "stop": ended,
        "rate": said.rate_ml_s is not None,
        "injector": administration.get("device"),
        "pressure-limit": said.limit_psi is not None,
        "peak-pressure": said.peak_psi is not None,
        "saline": said.saline_ml is not None,
    }
    power = not by_hand(administration)
    asked = [item["code"] for item in data_file("contrast_record.toml")["item"] if power or not item.get("power")]
    return RecordFacts(
        missing=tuple(code for code in asked if not has[code]),
        planned_ml=given_ml(before) if before is not None else None,
        given_ml=said.dose_ml,
        wasted_ml=wasted_ml(administration),
        pack_ml=lot.pack_ml if lot is not None else None,
        limit_psi=said.limit_psi,
        access_psi=said.access_psi,
        peak_psi=said.peak_psi,
        started_at=started,
        ended_at=ended,
    )


def times_of(administration: Resource, time_zone: str) -> tuple[datetime | None, datetime | None]:
    """When an administration began and ended; a single moment says when it began."""
    period = administration.get("effectivePeriod", {})
    started = moment(administration.get("effectiveDateTime") or period.get("start"), time_zone)
    return started, moment(period.get("end"), time_zone)


def names_of(codes: tuple[str, ...], language: str) -> str:
    """What is missing, in words."""
    named = {item["code"]: item[language] for item in data_file("contrast_record.toml")["item"]}
    return ("、" if language == "zh" else ", ").join(named[code] for code in codes)


def place_of(code: str) -> str:
    """The element where something that is missing belongs."""
    items = data_file("contrast_record.toml")["item"]
    return next(str(item["at"]) for item in items if item["code"] == code)
