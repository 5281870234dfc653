"""One served department for everybody who reads at home."""

from __future__ import annotations

import pytest

from tests.clients.reading_at_home import AtHome, at_home
from tests.support.server import Server


@pytest.fixture(scope="session")
def home(served: Server, tmp_path_factory: pytest.TempPathFactory) -> AtHome:
    """Two signers with keys and clients of their own."""
    return at_home(served, tmp_path_factory.mktemp("signers"))
