"""The settings run the demo by default and refuse what would make reports unsafe."""

from pathlib import Path

import pytest
from slipring_report.settings import ReportSettings


def test_a_demo_makes_its_own_root_and_a_real_department_does_not(tmp_path: Path) -> None:
    real = ReportSettings.from_env({"SLIPRING_DATA_DIR": str(tmp_path)})
    assert real.trust == tmp_path / "signing/root.pem" and real.trust_pem() == b""
    demo = ReportSettings.from_env({"SLIPRING_DATA_DIR": str(tmp_path), "SLIPRING_DEMO": "1"})
    assert demo.trust_pem().startswith(b"-----BEGIN CERTIFICATE")
    assert demo.trust_pem() == ReportSettings.from_env({"SLIPRING_DATA_DIR": str(tmp_path)}).trust_pem()


def test_an_outside_root_may_be_named() -> None:
    assert ReportSettings.from_env({"SLIPRING_SIGNING_TRUST": "/etc/ca.pem"}).trust == Path("/etc/ca.pem")


def test_one_signature_is_not_a_chain() -> None:
    with pytest.raises(ValueError, match="2 or 3"):
        ReportSettings.from_env({"SLIPRING_REPORT_CHAIN": "1", "SLIPRING_SIGNING_TRUST": "x"})
