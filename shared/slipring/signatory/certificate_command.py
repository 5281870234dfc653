"""`slipring certificate ask` and `collect`: from a key of one's own to the certificate that a second person approved."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import httpx
import typer
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from slipring.client.certificates import CertificateRequest, Certificates
from slipring.client.pkcs11_request import request_on_token
from slipring.client.refusal import Distrusted, Refused, Unanswered
from slipring.client.signing_keys import KeyRefused
from slipring.client.token import BearerFile, NoToken
from slipring.identity.client import backend_auth, server_url
from slipring.signatory.own_key import secret_of
from slipring.signatory.showing import plain, refusal_lines
from slipring.signing.certificate import make_key_and_csr

KEY, CSR, CHAIN = "key.pem", "request.pem", "chain.pem"
_WAITS = 2  # exit code: not decided yet
_POLL_SECONDS = 5.0

Folder = Annotated[Path, typer.Option("--out", help="The folder of your key: key.pem, request.pem and chain.pem.")]
ClientName = Annotated[
    str | None, typer.Option("--client", help="A client that acts for you; its key lies in the data directory.")
]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help="A file with an access token of your own sign-in.", exists=True)
]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the client's key lies.")]
Url = Annotated[str | None, typer.Option("--url", help="The front; default SLIPRING_URL or http://127.0.0.1:8100.")]
AsJson = Annotated[bool, typer.Option("--json", help="The request as JSON.")]


def ask(
    out: Folder,
    name: Annotated[str, typer.Option(help="The name in the request.")] = "practitioner",
    unencrypted: Annotated[
        bool, typer.Option("--plain", help="Keep the key without a passphrase (0600), for a script.")
    ] = False,
    secret_file: Annotated[
        Path | None,
        typer.Option(
            help="A file (0600) with the passphrase, or the PIN of your token; asked for otherwise.", exists=True
        ),
    ] = None,
    pkcs11: Annotated[
        Path | None, typer.Option(help="The PKCS#11 module of your token: the key lies there, and none is made.")
    ] = None,
    label: Annotated[str, typer.Option(help="The label of your key on the token.")] = "",
    token: Annotated[str, typer.Option(help="The label of the token, where there are several.")] = "",
    as_json: AsJson = False,
    client: ClientName = None,
    token_file: TokenFile = None,
    data_dir: DataDir = None,
    url: Url = None,
) -> None:
    """Make a key that stays with you, and ask for a certificate for it; with --pkcs11 for the key on your token.

    Asking again takes up the same request.
    """
    with _told(), Certificates.at(server_url(url), _auth(client, token_file, data_dir, url)) as certificates:
        if pkcs11 is not None:
            _asked_by_token(out, pkcs11, label, token, name, secret_of(secret_file, "PIN"))
        elif not (out / KEY).exists():
            _made(
                out,
                name,
                "" if unencrypted else secret_of(secret_file, "新密钥口令 Passphrase for the new key", twice=True)(),
            )
            typer.echo(f"密钥已生成 The key was made: {out / KEY}", err=True)
        if not (out / CSR).exists():
            _stop(f"{out} 中有密钥而无申请文件。 There is a key in {out} and no {CSR}: choose another folder.")
        asked = certificates.asked(_request(out / CSR))
        _show(asked, as_json)
        if asked.status == "requested":
            typer.echo(
                f"等待另一人批准；随后运行 Another person approves it; then: slipring certificate collect --out {out}",
                err=True,
            )


def collect(
    out: Folder,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is decided.")] = False,
    as_json: AsJson = False,
    client: ClientName = None,
    token_file: TokenFile = None,
    data_dir: DataDir = None,
    url: Url = None,
) -> None:
    """Fetch the certificate that was asked for, and put its chain beside the key.

    Exit code 0: it lies there; 1: refused, or never asked for; 2: not decided yet.
    """
    if not (out / CSR).exists():
        raise typer.BadParameter(f"there is no {out / CSR}: slipring certificate ask", param_hint="--out")
    with _told():
        csr = _request(out / CSR)
    with _told(), Certificates.at(server_url(url), _auth(client, token_file, data_dir, url)) as certificates:
        asked = certificates.of(csr)
        while wait and asked is not None and asked.status == "requested":
            typer.echo(f"{asked.task}: 等待批准 waiting for approval", err=True)
            time.sleep(_POLL_SECONDS)
            asked = certificates.of(csr)
        if asked is None:
            _stop(f"该密钥尚未申请证书。 Nothing was asked for with this key yet: slipring certificate ask --out {out}")
        if asked.status == "completed":
            _put(out / CHAIN, certificates.chain(asked, csr), 0o644)
        _show(asked, as_json)
        if asked.status == "requested":
            raise typer.Exit(_WAITS)
        if asked.status != "completed":
            _stop(f"未签发 Not issued: {plain(asked.reason) or asked.status}")
        typer.echo(out / CHAIN, err=as_json)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        _stop(*refusal_lines(refused))
    except (KeyRefused, Distrusted, Unanswered, NoToken, OSError) as problem:
        _stop(str(problem))
    except (KeyboardInterrupt, typer.Abort):
        _stop("已中断；重新运行同一命令即可继续。 Interrupted: run the same command again to go on where it was.")


def _asked_by_token(folder: Path, module: Path, label: str, token: str, name: str, pin: Callable[[], str]) -> None:
    """The request of the key on a token, once; the folder holds no key."""
    if not label:
        _stop("请用 --label 指明令牌上的密钥。 Name the key on the token by --label.")
    if (folder / KEY).exists():
        _stop(f"{folder} 中已有密钥文件。 There is a key in {folder}: choose another folder for the one on your token.")
    if not (folder / CSR).exists():
        made = request_on_token(module, label, pin, name, token)
        folder.mkdir(parents=True, exist_ok=True)
        _put(folder / CSR, made, 0o644)


def _auth(client: str | None, token_file: Path | None, data_dir: Path | None, url: str | None) -> httpx.Auth:
    return BearerFile(token_file) if token_file else backend_auth(url, client, None, data_dir)


def _request(path: Path) -> bytes:
    """The request as it was made: what somebody put in its place is sent to nobody."""
    content = path.read_bytes()
    try:
        x509.load_pem_x509_csr(content)
        content.decode("ascii")
    except ValueError:
        _stop(f"{path} 不是证书申请（PKCS #10）。 {path} is no request for a certificate (PKCS #10).")
    return content


def _made(folder: Path, name: str, passphrase: str) -> None:
    """The request first, the key last: where there is a key there is a request, whenever this is cut short."""
    pem, csr = make_key_and_csr(name)
    if passphrase:
        key = serialization.load_pem_private_key(pem, None)
        way = serialization.BestAvailableEncryption(passphrase.encode())
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, way)
    folder.mkdir(parents=True, exist_ok=True)
    _put(folder / CSR, csr, 0o644)
    _put(folder / KEY, pem, 0o600)


def _put(path: Path, content: bytes, mode: int) -> None:
    """A whole file or none."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        os.fsync(file.fileno())
    fresh.replace(path)


def _show(asked: CertificateRequest, as_json: bool) -> None:
    if as_json:
        tree = {"task": asked.task, "status": asked.status, "reason": asked.reason, "certificate": asked.certificate}
        typer.echo(json.dumps(tree, ensure_ascii=False))
    else:
        typer.echo(f"{asked.task}: {asked.status}")


def _stop(*lines: str) -> NoReturn:
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(1)
