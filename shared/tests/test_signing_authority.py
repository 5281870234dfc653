"""The department's authority: an offline root, an issuing key under it, both replaced without voiding what was signed."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from slipring.signing.certificate import Authority, as_pem, issue, make_authority, make_key_and_csr, read_authority
from slipring.signing.chain import CertificateRefused, check_chain
from slipring.signing.command import certificate
from slipring.signing.jws import judge, sign_payload
from slipring.signing.request import check_request
from slipring.signing.revocation import NOTHING_REVOKED, Revocations, Revoked, make_list, read_lists
from slipring.signing.rotation import authorities, renew_issuing, rotate_root
from typer.testing import CliRunner

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
WHO = "Practitioner/o-17"
RUN = CliRunner()


def a_chain(authority: Authority, now: datetime = NOW) -> list[bytes]:
    _, csr = make_key_and_csr("Li Na")
    chain = x509.load_pem_x509_certificates(issue(authority, csr, WHO, "Li Na", now=now))
    return [one.public_bytes(serialization.Encoding.DER) for one in chain]


def test_the_root_signs_issuing_keys_only_and_may_lie_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "signing"
    authority = make_authority(folder, now=NOW)
    assert {path.name for path in folder.iterdir()} == {"root.key", "root.pem", "issuing.key", "issuing.pem"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    shutil.move(folder / "root.key", tmp_path / "safe")
    chain = a_chain(read_authority(folder))
    assert len(chain) == 3 and check_chain(chain, authority.certificate_pem, NOW) == WHO
    with pytest.raises(CertificateRefused, match="certificate-untrusted"):
        check_chain([chain[0], chain[2]], authority.certificate_pem, NOW)
    renewed = renew_issuing(folder, (tmp_path / "safe").read_bytes(), now=NOW + timedelta(days=1000))
    assert renewed.key_pem != authority.key_pem
    later = NOW + timedelta(days=1000)
    assert check_chain(a_chain(renewed, later), renewed.certificate_pem, later) == WHO
    with pytest.raises(CertificateRefused, match="root-key-differs"):
        renew_issuing(folder, make_key_and_csr("x")[0], now=NOW)


def test_after_a_new_root_old_and_new_chains_are_both_trusted(tmp_path: Path) -> None:
    first = make_authority(tmp_path / "signing", now=NOW)
    old = a_chain(first)
    later = NOW + timedelta(days=100)
    second = rotate_root(tmp_path / "signing", now=later)
    assert len(x509.load_pem_x509_certificates(second.certificate_pem)) == 2
    new = a_chain(second, later)
    assert check_chain(old, second.certificate_pem, later) == check_chain(new, second.certificate_pem, later) == WHO
    assert check_chain(old, second.certificate_pem, NOW) == WHO, "what was signed before stands"
    with pytest.raises(CertificateRefused, match="certificate-untrusted"):
        check_chain(new, first.certificate_pem, later)
    with pytest.raises(CertificateRefused, match="certificate-expired"):
        check_chain(old, second.certificate_pem, NOW + timedelta(days=731))
    assert [one.key_pem for one in authorities(tmp_path / "signing")] == [second.key_pem, first.key_pem]


def test_an_authority_of_an_earlier_release_is_a_plain_root_and_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "signing"
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    made = make_authority(tmp_path / "another", now=NOW)
    root = x509.load_pem_x509_certificates(made.certificate_pem)[0]
    name, usage = root.subject, root.extensions.get_extension_for_class(x509.KeyUsage).value
    plain = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "root.pem").write_bytes(as_pem(plain))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "root.key").write_bytes(pem)
    authority = make_authority(folder, now=NOW)
    old = a_chain(authority)
    assert len(old) == 2 and check_chain(old, authority.certificate_pem, NOW) == WHO
    rotated = rotate_root(folder, now=NOW)
    assert check_chain(old, rotated.certificate_pem, NOW) == check_chain(a_chain(rotated), rotated.certificate_pem, NOW)
    assert [one.key_pem for one in authorities(folder)] == [rotated.key_pem, pem]


def test_what_was_revoked_is_refused_from_that_moment_on(tmp_path: Path) -> None:
    authority = make_authority(tmp_path / "signing", now=NOW)
    chain, other = a_chain(authority), a_chain(authority)
    serial = x509.load_der_x509_certificate(chain[0]).serial_number
    since = NOW + timedelta(hours=1)
    made = make_list(authority.issuer, authority.key, {serial: Revoked(since, "keyCompromise")}, since)
    lists = Revocations(read_lists(made))
    trust = authority.certificate_pem
    assert check_chain(chain, trust, since - timedelta(seconds=1), revoked=lists) == WHO
    with pytest.raises(CertificateRefused, match="certificate-revoked"):
        check_chain(chain, trust, since, revoked=lists)
    assert (
        check_chain(other, trust, since, revoked=lists)
        == check_chain(chain, trust, since, revoked=NOTHING_REVOKED)
        == WHO
    )


def test_a_list_counts_for_its_own_authority_alone(tmp_path: Path) -> None:
    """Both have the same name, as after a change of the root; the signature tells them apart."""
    mine, other = (make_authority(tmp_path / name / "signing", now=NOW) for name in ("mine", "other"))
    chain = a_chain(mine)
    serial = x509.load_der_x509_certificate(chain[0]).serial_number
    foreign = make_list(other.issuer, other.key, {serial: Revoked(NOW)}, NOW)
    assert check_chain(chain, mine.certificate_pem, NOW, revoked=Revocations(read_lists(foreign))) == WHO


def test_an_issuing_certificate_that_was_revoked_takes_its_chains_with_it(tmp_path: Path) -> None:
    authority = make_authority(tmp_path / "signing", now=NOW)
    root_key = serialization.load_pem_private_key((tmp_path / "signing/root.key").read_bytes(), None)
    assert isinstance(root_key, ec.EllipticCurvePrivateKey)
    root = x509.load_pem_x509_certificates(authority.certificate_pem)[0]
    made = make_list(root, root_key, {authority.issuer.serial_number: Revoked(NOW)}, NOW)
    with pytest.raises(CertificateRefused, match="certificate-revoked"):
        check_chain(a_chain(authority), authority.certificate_pem, NOW, revoked=Revocations(read_lists(made)))


def test_a_chain_with_a_broken_hash_is_weak(tmp_path: Path) -> None:
    """An outside authority that still signs with SHA-1 proves nothing."""
    authority = make_authority(tmp_path / "signing", now=NOW)
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "elsewhere")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    strong = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    rsa_with = bytes.fromhex("06092a864886f70d0101")
    weak = strong.replace(rsa_with + b"\x0b", rsa_with + b"\x05")  # sha256WithRSAEncryption, sha1WithRSAEncryption
    for one, code in ((strong, "certificate-untrusted"), (weak, "certificate-weak")):
        with pytest.raises(CertificateRefused, match=code):
            check_chain([one], authority.certificate_pem, NOW)


def test_a_request_proves_possession_of_a_key_that_the_department_takes() -> None:
    _, csr = make_key_and_csr("Li Na")
    assert check_request(csr, ["ES256"]).is_signature_valid
    der = bytearray(x509.load_pem_x509_csr(csr).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    bent = x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM)
    small = rsa.generate_private_key(65537, 1024)
    short = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(small, hashes.SHA256())
    for asked, algorithms, code in (
        (bent, ["ES256"], "request-unproved"),
        (b"nothing", ["ES256"], "request-unreadable"),
        (csr, ["ES384", "PS256"], "key-unfit"),
        (short.public_bytes(serialization.Encoding.PEM), ["PS256"], "key-too-small"),
        (csr + b" " * 20_000, ["ES256"], "request-unreadable"),
    ):
        with pytest.raises(CertificateRefused, match=code):
            check_request(asked, algorithms)


def said(*arguments: str) -> str:
    result = RUN.invoke(certificate, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_an_authority_is_set_up_used_rotated_and_a_certificate_taken_back_at_the_command_line(tmp_path: Path) -> None:
    data, me, chain = str(tmp_path), tmp_path / "me", tmp_path / "chain.pem"
    assert "root.key" in said("setup", "--data-dir", data)
    assert "root.key" not in said("setup", "--data-dir", data), "what is there stays"
    said("request", "--out", str(me))
    said("issue", "--csr", str(me / "request.pem"), "--practitioner", WHO, "--data-dir", data, "--out", str(chain))
    said("rotate-root", "--data-dir", data)
    listed = said("list", "--data-dir", data).splitlines()
    assert [line.split("  ")[0] for line in listed] == ["root", "root", "issuing", WHO]
    serial = listed[-1].split("  ")[1]
    before = datetime.now(UTC)
    said("revoke", "--serial", serial, "--reason", "keyCompromise", "--data-dir", data)
    assert "revoked" in said("list", "--data-dir", data).splitlines()[-1]
    lists = Revocations(read_lists((tmp_path / "signing/crl.pem").read_bytes()))
    jws = sign_payload(b"{}", (me / "key.pem").read_bytes(), chain.read_bytes(), "author", "", before)
    trust = (tmp_path / "signing/root.pem").read_bytes()
    assert judge(jws, b"{}", trust_pem=trust, at=before - timedelta(seconds=1), revoked=lists).valid
    late = judge(jws, b"{}", trust_pem=trust, at=before + timedelta(seconds=60), revoked=lists)
    assert [each.code for each in late.reasons] == ["certificate-revoked"]
    for wrong in (
        ["--serial", "00"],
        ["--serial", serial, "--reason", "bored"],
        ["--serial", serial, "--since", "2999-01-01"],
    ):
        assert RUN.invoke(certificate, ["revoke", *wrong, "--data-dir", data]).exit_code == 2
