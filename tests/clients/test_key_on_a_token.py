"""A key that lies on a token signs by PKCS#11; the token is SoftHSM, the calls and the signatures are real."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from slipring.client.pkcs11_key import TokenKey
from slipring.client.pkcs11_request import request_on_token
from slipring.client.signing_keys import KeyRefused, public_key, signer_of
from slipring.signing.certificate import certify, make_authority
from slipring.signing.jws import judge, sign_payload_by
from slipring.signing.request import check_request

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN, SIGNER = "1234", "Practitioner/o-1"

pytest.importorskip("pkcs11", reason="needs python-pkcs11")
pytestmark = pytest.mark.skipif(
    shutil.which("softhsm2-util") is None or not MODULE.exists(), reason="needs the token in software, softhsm2"
)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh token with two keys; the folder with their chains."""
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n")
    now = datetime.now(UTC)
    authority = make_authority(folder / "signing", now=now)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        util("--init-token", "--free", "--label", "card", "--so-pin", "0000", "--pin", PIN)
        keys = (ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 3072))
        for number, (name, key) in enumerate(zip(("es", "ps"), keys, strict=True), 1):
            way = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            (folder / "key").write_bytes(key.private_bytes(*way))
            util(
                "--import", str(folder / "key"), "--token", "card", "--label", name, "--id", f"0{number}", "--pin", PIN
            )
            (folder / f"{name}.pem").write_bytes(certify(authority, key.public_key(), SIGNER, name, now=now))
        (folder / "key").unlink()
        yield folder


def util(*arguments: str) -> None:
    subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True)


@pytest.mark.parametrize(("label", "algorithm"), [("es", "ES256"), ("ps", "PS256")])
def test_a_key_on_a_token_signs_and_the_signature_is_judged_valid(token: Path, label: str, algorithm: str) -> None:
    chain, now = (token / f"{label}.pem").read_bytes(), datetime.now(UTC)
    assert signer_of(chain) == SIGNER
    with TokenKey(MODULE, label, chain, lambda: PIN, "card") as key:
        jws = sign_payload_by(key.sign, key.algorithm, b"{}", chain, "author", "", now)
    judged = judge(jws, b"{}", trust_pem=(token / "signing/root.pem").read_bytes(), at=now, algorithms=[algorithm])
    assert judged.valid and judged.signer == SIGNER and judged.algorithm == algorithm, judged.reasons
    other = judge(jws, b"[]", trust_pem=(token / "signing/root.pem").read_bytes(), at=now, algorithms=[algorithm])
    assert not other.valid


@pytest.mark.parametrize(("label", "algorithm"), [("es", "ES256"), ("ps", "PS256")])
def test_a_request_for_a_key_on_a_token_proves_its_possession_and_is_fit(
    token: Path, label: str, algorithm: str
) -> None:
    request = check_request(request_on_token(MODULE, label, lambda: PIN, "Dr Wang", "card"), [algorithm])
    assert request.subject.rfc4514_string() == "CN=Dr Wang"
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert request.public_key().public_bytes(*form) == public_key((token / f"{label}.pem").read_bytes())
    with pytest.raises(KeyRefused, match="not exactly one private key"):
        request_on_token(MODULE, "absent", lambda: PIN, "Dr Wang", "card")


def test_a_wrong_pin_label_token_or_certificate_is_said_in_both_languages(token: Path) -> None:
    es, ps = (token / "es.pem").read_bytes(), (token / "ps.pem").read_bytes()
    for label, chain, pin, name, said in (
        ("es", es, "9999", "card", "did not open (PinIncorrect)"),
        ("absent", es, PIN, "card", "not exactly one private key"),
        ("es", es, PIN, "another", "0 tokens found"),
        ("es", ps, PIN, "card", "did not sign"),
    ):
        with pytest.raises(KeyRefused, match=said.replace("(", r"\(").replace(")", r"\)")):
            TokenKey(MODULE, label, chain, lambda pin=pin: pin, name)
