"""The codes of the critical service as code systems."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.terminology.own import BETWEEN_SERVICES, own_system, read_code_systems
from slipring.staff.vocabulary import STAFF

from slipring_critical.channels.media import media

CODE_SYSTEMS = (
    *BETWEEN_SERVICES,
    *STAFF,
    own_system(
        "channel",
        "Channel by which a receiver is told",
        "通知渠道",
        {medium.code: {"zh": medium.zh, "en": medium.en} for medium in media().values()},
    ),
    *read_code_systems(Path(__file__).with_name("data") / "vocabulary.toml"),
)
