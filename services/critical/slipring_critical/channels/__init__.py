"""The channels a message can leave by; a new one is one file and one line here."""

from collections.abc import Mapping

from slipring_critical.channels.browser_push import BROWSER_PUSH
from slipring_critical.channels.by_apprise import by_apprise, offers
from slipring_critical.channels.channel import Channel
from slipring_critical.channels.fhir_server import FHIR_SERVER
from slipring_critical.channels.ward_board import WARD_BOARD
from slipring_critical.channels.webhook import WEBHOOK

CHANNELS: Mapping[str, Channel] = {
    "webhook": WEBHOOK,
    "fhir": FHIR_SERVER,
    "board": WARD_BOARD,
    "browser": BROWSER_PUSH,
    **{medium: by_apprise(medium) for medium in offers()},
}
