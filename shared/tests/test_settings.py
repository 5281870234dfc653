"""Settings come from the environment, are checked at once, and a slip of the pen is named."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from slipring.runtime.settings import BadSettings, Settings, known_variables

ROOT = Path(__file__).parents[2]


def test_an_empty_environment_gives_settings_that_run_the_demo() -> None:
    settings = Settings.from_env({})
    assert settings.host == "127.0.0.1"
    assert settings.database_url == ""
    assert settings.follow_max_age == timedelta(seconds=30)
    assert settings.zone.key == "Asia/Shanghai"


def test_every_kind_of_value_is_read(tmp_path: Path) -> None:
    settings = Settings.from_env(
        {
            "SLIPRING_DATABASE_URL": "postgresql://u@h/d",
            "SLIPRING_DATA_DIR": str(tmp_path),
            "SLIPRING_DEMO": "1",
            "SLIPRING_MAX_ENTRIES": "7",
            "SLIPRING_FOLLOW_MAX_AGE_SECONDS": "2.5",
            "SLIPRING_ORDER_URL": "http://order:8101",
            "PATH": "/bin",
        }
    )
    assert settings.demo is True
    assert settings.data_dir == tmp_path
    assert (settings.max_entries, settings.follow_max_age_seconds) == (7, 2.5)
    assert settings.order_url == "http://order:8101"


def test_an_empty_value_means_the_default() -> None:
    assert Settings.from_env({"SLIPRING_TIME_ZONE": "", "SLIPRING_MAX_ENTRIES": " "}) == Settings.from_env({})
    assert Settings.from_env({"SLIPRING_DEMO": ""}).demo is False


def test_an_unknown_variable_is_refused_and_the_nearest_name_is_told() -> None:
    with pytest.raises(
        BadSettings, match=r"SLIPRING_DATABSE_URL is not a setting; did you mean SLIPRING_DATABASE_URL\?"
    ):
        Settings.from_env({"SLIPRING_DATABSE_URL": "postgresql://u@h/d"})


def test_a_variable_declared_by_another_service_is_accepted() -> None:
    Settings.from_env({"SLIPRING_BILLING_DAYS": "3"}, extra=["SLIPRING_BILLING_DAYS"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLIPRING_MAX_ENTRIES", "many"),
        ("SLIPRING_BODY_SECONDS", "nan"),
        ("SLIPRING_DATABASE_URL", "postgresql://u:p@h:port/d"),
        ("SLIPRING_MAX_BODY_BYTES", "0"),
        ("SLIPRING_DEMO", "perhaps"),
        ("SLIPRING_TIME_ZONE", "Mars/Olympus"),
        ("SLIPRING_ORDER_URL", "order:8101"),
        ("SLIPRING_DATABASE_URL", "mysql://u@h/d"),
        ("SLIPRING_LOG_LEVEL", "loud"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name):
        Settings.from_env({name: value})


def test_the_password_of_the_database_is_never_printed() -> None:
    assert "hush-hush" not in repr(Settings.from_env({"SLIPRING_DATABASE_URL": "postgresql://u:hush-hush@h/d"}))


def test_the_list_of_variables_and_the_code_name_the_same() -> None:
    """Every variable read somewhere is explained, and every variable explained is read somewhere."""
    used = {f"SLIPRING_{name.upper()}" for name in Settings.__dataclass_fields__}
    for folder in ("shared/slipring", "services", "deploy/demo"):
        for path in (ROOT / folder).rglob("*.py"):
            if "tests" not in path.parts:
                used |= set(re.findall(r"\"(SLIPRING_[A-Z_]+[A-Z])\"", path.read_text(encoding="utf-8")))
    assert set(known_variables()) == used
