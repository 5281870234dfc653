"""Which providers of messages are down, for `/health/engine`: from what this process has learnt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slipring.fhir.beside import Beside, Inside, Sign

from slipring_critical.channels.providers import Providers
from slipring_critical.ringing.desk_look import DeskLook


class ProviderSigns:
    """Nothing runs; it is only asked."""

    def __init__(self, providers: Providers) -> None:
        self._providers = providers

    async def start(self) -> None:
        """Nothing to begin."""

    async def stop(self) -> None:
        """Nothing to end."""

    def signs(self) -> Iterable[Sign]:
        """One warning for each that is down, with how often it failed in a row."""
        return [
            Sign("provider:down", "warn", failures, "failures", name)
            for name, failures in self._providers.down().items()
        ]


def beside(inside: Inside) -> Sequence[Beside]:
    """What a critical service has beside its addresses."""
    return [ProviderSigns(inside.settings.providers), DeskLook(inside)]
