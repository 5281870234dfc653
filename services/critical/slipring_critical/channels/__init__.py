"""The channels a message can leave by; a new one is one file and one line here."""

from collections.abc import Mapping

from slipring_critical.channels.channel import Channel
from slipring_critical.channels.webhook import deliver_by_webhook

CHANNELS: Mapping[str, Channel] = {"webhook": deliver_by_webhook}
