"""The signer's key as the command's options name it: a file, or a key on a token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from slipring.client.pkcs11_key import TokenKey
from slipring.client.signing_keys import KeyFile, KeyRefused, SigningKey


@contextmanager
def opened(
    *, key: Path | None, chain_pem: bytes, module: Path | None, label: str, token: str, secret: Path | None
) -> Iterator[SigningKey]:
    """The key, for as long as it is used. KeyRefused when there is none, or it is not the certificate's."""
    if (key is None) == (module is None):
        raise KeyRefused("须给出 --key 或 --pkcs11 之一。 Say either --key or --pkcs11.")
    if module is not None:
        if not label:
            raise KeyRefused("请用 --label 指明令牌上的密钥。 Name the key on the token by --label.")
        with TokenKey(module, label, chain_pem, secret_of(secret, "PIN"), token) as on_token:
            yield on_token
    elif key is not None:
        yield KeyFile.read(key, chain_pem, secret_of(secret, "密钥口令 Passphrase"))


def secret_of(path: Path | None, what: str, *, twice: bool = False) -> Callable[[], str]:
    """Asked for at the terminal (`twice` where it is new), never an option: others see the arguments of a process."""
    if path is None:
        return lambda: str(typer.prompt(what, hide_input=True, confirmation_prompt=twice, err=True))
    if path.stat().st_mode & 0o077:
        raise KeyRefused(f"{path} 他人可读：请 chmod 600。 Others may read {path}: chmod 600.")
    return lambda: path.read_text("utf-8").rstrip("\n")
