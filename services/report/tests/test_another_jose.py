"""Signatures are standard JOSE: another implementation, in another language (José, in C), verifies them from the proof."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from joserfc.jwk import ECKey
from slipring.signing.proof import opened
from slipring_report.handlers.proving import proof_asked

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import ReadingRoom

JOSE = shutil.which("jose")
pytestmark = pytest.mark.skipif(JOSE is None, reason="the Debian package jose is not installed")


def verified(signature: str, key: Mapping[str, Any], payload: bytes, folder: Path) -> bool:
    """What `jose jws ver` says of a detached compact JWS; it reads it in the flattened JSON form (RFC 7515 section 7.2.2)."""
    protected, _, value = signature.partition("..")
    (folder / "payload").write_bytes(payload)
    (folder / "key.jwk").write_text(json.dumps(key))
    flattened = json.dumps({"protected": protected, "signature": value})
    command = [
        str(JOSE),
        "jws",
        "ver",
        "-i",
        "-",
        "-I",
        str(folder / "payload"),
        "-k",
        str(folder / "key.jwk"),
        "-O",
        "/dev/null",
    ]
    return subprocess.run(command, input=flattened.encode(), capture_output=True, check=False).returncode == 0


def key_in(signature: str) -> dict[str, Any]:
    """The public key of the signer's certificate, as a JWK."""
    text = signature.partition(".")[0]
    header = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    public = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0])).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return dict(ECKey.import_key(pem).as_dict(private=False))


async def test_another_implementation_verifies_signatures_and_seals_from_the_proof(tmp_path: Path) -> None:
    room = ReadingRoom(tmp_path)
    await room.draft()
    await room.release()
    answer = (await room.call(proof_asked)).answer
    assert answer is not None
    proof = opened(base64.b64decode(answer["data"]))
    members, [sealing] = proof.members, json.loads(proof.members["keys.json"])["keys"]
    payload = members["payload.json"]
    for number in (1, 2):
        signature = members[f"signature-{number}.jws"].decode()
        assert verified(signature, key_in(signature), payload, tmp_path)
        assert not verified(signature, key_in(signature), payload + b" ", tmp_path)
        assert not verified(signature, sealing, payload, tmp_path)
        receipt, seal = members[f"receipt-{number}.json"], members[f"receipt-{number}.jws"].decode()
        assert verified(seal, sealing, receipt, tmp_path)
    assert verified(members["statement-1.jws"].decode(), sealing, members["statement-1.json"], tmp_path)
    assert verified(proof.seal, sealing, proof.manifest, tmp_path)
