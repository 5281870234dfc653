"""`slipring certificate`: ask for, issue and use a signing certificate at the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from slipring.runtime.clock import utc_now
from slipring.runtime.postgres import data_directory
from slipring.signing.algorithms import registry
from slipring.signing.authority_command import keep, renew, revoke, rotate, service_keys, setup, show
from slipring.signing.certificate import issue, make_authority, make_key_and_csr
from slipring.signing.chain import CertificateRefused
from slipring.signing.jws import sign_payload
from slipring.signing.policy import ROLES, reason
from slipring.signing.request import check_request

certificate = typer.Typer(
    name="certificate", help="The department's signing authority and certificates.", no_args_is_help=True
)
certificate.command()(setup)
certificate.command(name="renew-issuing")(renew)
certificate.command(name="rotate-root")(rotate)
certificate.command()(revoke)
certificate.command(name="service-keys")(service_keys)
certificate.command(name="list")(show)


@certificate.command()
def request(
    out: Annotated[
        Path, typer.Option(help="Folder for key.pem (stays with you) and request.pem (goes to the department).")
    ],
    name: Annotated[str, typer.Option(help="The name that the certificate shows.")] = "practitioner",
) -> None:
    """Make a key of your own and a certificate request that proves you hold it."""
    out.mkdir(parents=True, exist_ok=True)
    if (out / "key.pem").exists():
        raise typer.BadParameter("a key is already there; it is not replaced", param_hint="--out")
    key, csr = make_key_and_csr(name)
    descriptor = os.open(out / "key.pem", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    (out / "request.pem").write_bytes(csr)
    typer.echo(out / "request.pem")


@certificate.command(name="issue")
def issue_for(
    csr: Annotated[Path, typer.Option(help="The request, as made by `certificate request`.")],
    practitioner: Annotated[str, typer.Option(help="Practitioner/<id> whose certificate this is.")],
    name: Annotated[str, typer.Option(help="The name that the certificate shows.")] = "practitioner",
    data_dir: Annotated[Path | None, typer.Option(help="Where the department's authority is kept.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the chain here instead of standard output.")] = None,
) -> None:
    """Issue a certificate with the department's own authority (made at first use), for setting up.

    In daily work a certificate is asked for through FHIR and approved by a second person (Task/$decide-certificate).
    """
    if not practitioner.startswith("Practitioner/"):
        raise typer.BadParameter("must be Practitioner/<id>", param_hint="--practitioner")
    now = utc_now()
    folder = data_directory(data_dir) / "signing"
    authority = make_authority(folder, now=now)
    try:
        asked = csr.read_bytes()
        check_request(asked, tuple(registry()))
        chain = issue(authority, asked, practitioner, name, now=now)
    except (CertificateRefused, ValueError) as error:
        told = reason(error.code if isinstance(error, CertificateRefused) else "certificate-unreadable")
        typer.echo(f"{told.zh} {told.en}", err=True)
        raise typer.Exit(1) from error
    keep(folder, chain)
    if out:
        out.write_bytes(chain)
    else:
        typer.echo(chain.decode(), nl=False)


@certificate.command()
def sign(
    key: Annotated[Path, typer.Option(help="Your key.pem.")],
    chain: Annotated[Path, typer.Option(help="Your certificate chain.")],
    payload_file: Annotated[Path, typer.Option(help="The payload bytes of `$signing-input` (decoded); - reads stdin.")],
    role: Annotated[str, typer.Option(help="author, reviewer or chief.")] = "author",
    prev: Annotated[str, typer.Option(help="SHA-256 of the JWS before yours; empty for the first signature.")] = "",
) -> None:
    """Sign a payload with your own key; prints the detached JWS for `$sign`."""
    if role not in ROLES:
        raise typer.BadParameter("must be author, reviewer or chief", param_hint="--role")
    payload = sys.stdin.buffer.read() if str(payload_file) == "-" else payload_file.read_bytes()
    typer.echo(sign_payload(payload, key.read_bytes(), chain.read_bytes(), role, prev, utc_now()))
