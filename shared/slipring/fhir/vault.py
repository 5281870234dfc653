"""The vault on the service's own key, which lies in its schema: every replica opens what any of them locked."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken


class Safe:
    """Implements `slipring.fhir.service.Vault`."""

    def __init__(self, key: Fernet) -> None:
        self._key = key

    def locked(self, text: str) -> str:
        """Encrypted and authenticated (Fernet)."""
        return self._key.encrypt(text.encode()).decode()

    def opened(self, text: str) -> str:
        """Back; ValueError when the key is not the one that locked it."""
        try:
            return self._key.decrypt(text.encode()).decode()
        except InvalidToken as error:
            raise ValueError("locked by another key") from error
