"""From a request to a signature at the command line."""

from datetime import UTC, datetime
from pathlib import Path

from slipring.signing.command import certificate
from slipring.signing.jws import judge
from typer.testing import CliRunner

RUN = CliRunner()


def test_a_person_asks_gets_a_certificate_and_signs(tmp_path: Path) -> None:
    payload = tmp_path / "payload"
    payload.write_bytes(b"{}")
    me, chain, data = tmp_path / "me", tmp_path / "chain.pem", tmp_path / "data"
    assert RUN.invoke(certificate, ["request", "--out", str(me)]).exit_code == 0
    assert (me / "key.pem").stat().st_mode & 0o777 == 0o600
    asked = ["issue", "--csr", str(me / "request.pem"), "--practitioner", "Practitioner/o-1"]
    assert RUN.invoke(certificate, [*asked, "--data-dir", str(data), "--out", str(chain)]).exit_code == 0
    signed = RUN.invoke(
        certificate,
        ["sign", "--key", str(me / "key.pem"), "--chain", str(chain), "--payload-file", str(payload)],
    )
    trust = (data / "signing/root.pem").read_bytes()
    judged = judge(signed.stdout.strip(), b"{}", trust_pem=trust, at=datetime.now(UTC), role="author")
    assert judged.valid and judged.signer == "Practitioner/o-1"


def test_a_key_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    RUN.invoke(certificate, ["request", "--out", str(tmp_path)])
    before = (tmp_path / "key.pem").read_bytes()
    assert RUN.invoke(certificate, ["request", "--out", str(tmp_path)]).exit_code != 0
    assert (tmp_path / "key.pem").read_bytes() == before


def test_a_file_that_is_no_request_gets_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "csr").write_text("nothing")
    asked = ["issue", "--csr", str(tmp_path / "csr"), "--practitioner", "Practitioner/o-1", "--data-dir", str(tmp_path)]
    assert RUN.invoke(certificate, asked).exit_code == 1
