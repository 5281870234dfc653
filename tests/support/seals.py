"""The service's own key without a database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from joserfc.jwk import ECKey
from slipring.signing.seal import KnownKey, SealingKey, examine, seal

_SEALED_AT = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


class SealsInMemory:
    """The service's own key without a database; whoever asks later asks the same key."""

    def __init__(self) -> None:
        key = ECKey.generate_key("P-256", auto_kid=True)
        self._key = SealingKey(str(key.kid), key)

    def seal(self, payload: bytes, kind: str) -> str:
        """A seal by the key in memory."""
        return seal(payload, kind, self._key, _SEALED_AT)

    async def faults(self, seal: str, payload: bytes, kind: str) -> tuple[str, ...]:
        """Why it does not stand."""
        known = KnownKey(self._key.kid, "report", self._key.key, datetime(2000, 1, 1, tzinfo=UTC))
        return examine(seal, payload, kind, {known.kid: known}).reasons

    async def keys(self) -> list[dict[str, Any]]:
        """Its public half, as a service publishes it."""
        public = dict(self._key.key.as_dict(private=False))
        return [public | {"service": "report", "since": datetime(2000, 1, 1, tzinfo=UTC).isoformat()}]
