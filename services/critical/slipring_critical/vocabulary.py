"""The codes of the critical service as code systems."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.terminology.own import BETWEEN_SERVICES, own_system, read_code_systems
from slipring.staff.vocabulary import STAFF

from slipring_critical.channels.media import media
from slipring_critical.ladders.targets import targets

CODE_SYSTEMS = (
    *BETWEEN_SERVICES,
    *STAFF,
    own_system(
        "channel",
        "Channel by which a receiver is told",
        "通知渠道",
        {medium.code: {"zh": medium.zh, "en": medium.en} for medium in media().values()},
    ),
    own_system(
        "ladder-target",
        "Whom a step of a ladder rings",
        "升级阶梯的通知对象",
        {one.code: {"zh": one.zh, "en": one.en} for one in targets().values()},
    ),
    *read_code_systems(Path(__file__).with_name("data") / "vocabulary.toml"),
)
