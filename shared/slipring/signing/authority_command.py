"""`slipring certificate setup, renew-issuing, rotate-root, revoke, list`: the department's authority at the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from slipring.runtime.clock import utc_now
from slipring.runtime.postgres import data_directory
from slipring.signing.certificate import ISSUING, LIST, ROOT_KEY, ROOTS, make_authority
from slipring.signing.chain import PERSON_PREFIX, CertificateRefused
from slipring.signing.key_certificates import MADE_ELSEWHERE, certified_keys
from slipring.signing.policy import ending_soon, reason, revocation_reasons
from slipring.signing.revocation import Revoked, entries, make_list, read_lists
from slipring.signing.rotation import authorities, renew_issuing, rotate_root

ISSUED = "issued"  # certificates that were issued at the command line, by serial number
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the department's authority is kept.")]


def setup(data_dir: DataDir = None) -> None:
    """Make the department's root and the issuing key under it; what is there already stays."""
    folder = _folder(data_dir)
    there = (folder / ROOTS).exists()
    make_authority(folder, now=utc_now())
    _show(folder)
    if not there:
        typer.echo(
            f"根私钥 {folder / ROOT_KEY} 只在更换签发密钥时需要，请移到离线介质并从本机删除。\n"
            f"The root's private key {folder / ROOT_KEY} is needed only to renew the issuing key: move it to a medium"
            " that is kept offline."
        )


def renew(
    root_key: Annotated[
        Path | None, typer.Option(help="The root's private key; default: the one in the folder.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Put a fresh issuing key under the newest root; the old one still signs the list of what it issued."""
    folder = _folder(data_dir)
    try:
        renew_issuing(folder, (root_key or folder / ROOT_KEY).read_bytes(), now=utc_now())
    except FileNotFoundError as error:
        raise typer.BadParameter(f"there is no {error.filename}", param_hint="--root-key") from error
    except (CertificateRefused, ValueError) as error:
        _refuse(error.code if isinstance(error, CertificateRefused) else "root-key-differs")
    _show(folder)


def service_keys(
    keys: Annotated[Path, typer.Option(help="The services' public keys (`slipring keys export`).", exists=True)],
    data_dir: DataDir = None,
) -> None:
    """Certify the keys with which services seal, so that the root alone is enough to verify a proof.

    Only needed where the issuing key lies on another machine than the report service: carry the file over.
    """
    folder = _folder(data_dir)
    try:
        content = certified_keys(folder, json.loads(keys.read_bytes())["keys"], utc_now())
    except (ValueError, LookupError, TypeError) as error:
        raise typer.BadParameter(f"{keys} is no JWK Set of services", param_hint="--keys") from error
    (folder / MADE_ELSEWHERE).write_bytes(content)
    typer.echo(folder / MADE_ELSEWHERE)


def rotate(data_dir: DataDir = None) -> None:
    """Make a new root and an issuing key under it; the old root stays trusted, what was signed under it stays valid."""
    folder = _folder(data_dir)
    if not (folder / ROOTS).exists():
        raise typer.BadParameter("there is no authority yet: slipring certificate setup", param_hint="--data-dir")
    rotate_root(folder, now=utc_now())
    _show(folder)


def revoke(
    serial: Annotated[str, typer.Option(help="The certificate's serial number, in hex, as `list` shows it.")],
    because: Annotated[str, typer.Option("--reason", help="Why, as X.509 spells it.")] = "unspecified",
    since: Annotated[
        str, typer.Option(help="Since when (RFC 3339); default: now. What was signed before stands.")
    ] = "",
    data_dir: DataDir = None,
) -> None:
    """Take back a certificate that was issued at the command line; the list beside the roots counts at once."""
    if because not in revocation_reasons():
        raise typer.BadParameter(f"must be one of {', '.join(revocation_reasons())}", param_hint="--reason")
    folder, now = _folder(data_dir), utc_now()
    at = _moment(since) if since else now
    if at > now:
        raise typer.BadParameter("lies in the future", param_hint="--since")
    kept = folder / ISSUED / f"{serial.lower()}.pem"
    if not kept.exists():
        raise typer.BadParameter(f"no certificate with this number was issued here ({kept})", param_hint="--serial")
    certificate = x509.load_pem_x509_certificates(kept.read_bytes())[0]
    by = next((one for one in authorities(folder) if _by(one.issuer, certificate)), None)
    if by is None:
        _refuse("certificate-untrusted")
    lists = read_lists((folder / LIST).read_bytes()) if (folder / LIST).exists() else ()
    mine = [one for one in lists if one.is_signature_valid(by.key.public_key())]
    taken = {serial_number: entry for one in mine for serial_number, entry in entries(one).items()}
    taken.setdefault(certificate.serial_number, Revoked(at, because))
    others = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in lists if one not in mine)
    fresh = folder / f".{LIST}"
    fresh.write_bytes(make_list(by.issuer, by.key, taken, now) + others)
    fresh.replace(folder / LIST)
    typer.echo(folder / LIST)


def show(data_dir: DataDir = None) -> None:
    """List roots, issuing keys, and who holds which certificate that was issued at the command line, from when to when."""
    _show(_folder(data_dir))


def keep(folder: Path, chain: bytes) -> None:
    """Keep a copy of what was issued at the command line."""
    certificate = x509.load_pem_x509_certificates(chain)[0]
    (folder / ISSUED).mkdir(exist_ok=True)
    (folder / ISSUED / f"{certificate.serial_number:x}.pem").write_bytes(chain)


def _show(folder: Path) -> None:
    lists = read_lists((folder / LIST).read_bytes()) if (folder / LIST).exists() else ()
    taken = {serial: entry for one in lists for serial, entry in entries(one).items()}
    for kind, certificate in _certificates(folder):
        ends, days = certificate.not_valid_after_utc, (certificate.not_valid_after_utc - utc_now()).days
        state = "即将到期 ends soon" if ends - utc_now() < ending_soon() else ""
        if entry := taken.get(certificate.serial_number):
            state = f"已撤销 revoked {entry.at.isoformat()} {entry.reason}"
        period = f"{certificate.not_valid_before_utc.isoformat()} .. {ends.isoformat()} ({days} d)"
        typer.echo("  ".join(part for part in (kind, f"{certificate.serial_number:x}", period, state) if part))


def _certificates(folder: Path) -> Iterator[tuple[str, x509.Certificate]]:
    for name, kind in ((ROOTS, "root"), (ISSUING, "issuing")):
        if (folder / name).exists():
            found = x509.load_pem_x509_certificates((folder / name).read_bytes())
            yield from ((kind, one) for one in (found if kind == "root" else found[:1]))
    for path in sorted((folder / ISSUED).glob("*.pem")):
        leaf = x509.load_pem_x509_certificates(path.read_bytes())[0]
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        [address] = names.get_values_for_type(x509.UniformResourceIdentifier)
        yield address.removeprefix(PERSON_PREFIX), leaf


def _by(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _folder(data_dir: Path | None) -> Path:
    return data_directory(data_dir) / "signing"


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("is no moment (2026-11-23T08:30:00Z)", param_hint="--since") from error
    return (moment if moment.tzinfo else moment.astimezone()).astimezone(UTC)


def _refuse(code: str) -> NoReturn:
    told = reason(code)
    typer.echo(f"{told.zh} {told.en}", err=True)
    raise typer.Exit(1)
