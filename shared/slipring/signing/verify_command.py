"""`slipring verify EXPORT --trust ROOT.pem`: whether a proof holds, without a server and without a network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.hazmat.primitives import hashes

from slipring.signing.proof import Proof, ProofRefused, proof_reason
from slipring.signing.proof_file import judged_file, roots_used
from slipring.signing.revocation import read_lists
from slipring.signing.seal_keys import Jwk
from slipring.signing.stated import STATED
from slipring.signing.verdict import Verdict

HOLDS, BROKEN, UNKNOWN = 0, 1, 2
_MOST = 200_000_000  # bytes of a file that is taken for a proof


def verify(
    export: Annotated[Path, typer.Argument(help="The proof, as `$proof` gave it.", exists=True, dir_okay=False)],
    trust: Annotated[Path | None, typer.Option(help="The roots that you trust (PEM).", exists=True)] = None,
    keys: Annotated[
        Path | None,
        typer.Option(help="The service's published keys (JWK Set), if no root vouches for them.", exists=True),
    ] = None,
    crl: Annotated[Path | None, typer.Option(help="A revocation list newer than the proof.", exists=True)] = None,
    trust_stamps: Annotated[
        Path | None,
        typer.Option(help="The roots of time stamping authorities (PEM): time stamps are judged by them.", exists=True),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The verdict as JSON.")] = False,
    extract: Annotated[
        Path | None, typer.Option(help="Write the parts of a proof that holds into this new folder.")
    ] = None,
) -> None:
    """Verify a proof offline.

    Exit code 0: it holds, and its signers are known; 1: it does not hold; 2: unchanged since it was made, but signers or
    the sealing service are unknown, because no root was given that vouches for them.
    """
    try:
        if export.stat().st_size > _MOST:
            raise ProofRefused("proof-unknown")
        root = trust.read_bytes() if trust else None
        lists = read_lists(crl.read_bytes()) if crl else ()
        stamps = trust_stamps.read_bytes() if trust_stamps else b""
        proof, found = judged_file(export.read_bytes(), root, _keys(keys), lists, stamps)
    except ProofRefused as refused:
        _refused(refused, as_json)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from problem
    typer.echo(json.dumps(found.tree(), indent=1, ensure_ascii=False)) if as_json else _show(proof, found)
    if extract is not None and found.holds:
        _extracted(proof, extract)
    raise typer.Exit(BROKEN if not found.holds else HOLDS if found.known else UNKNOWN)


def _keys(path: Path | None) -> Sequence[Jwk]:
    if path is None:
        return ()
    tree: Any = json.loads(path.read_bytes())
    if not isinstance(tree, dict) or not isinstance(tree.get("keys"), list):
        raise ValueError(f"{path} is no JWK Set")
    return [one for one in tree["keys"] if isinstance(one, dict)]


def _show(proof: Proof, found: Verdict) -> None:
    for one in found.judgements:
        mark = "ok  " if not one.reasons else "FAIL"
        told = "  ".join(text for text in one.facts.values() if text)
        typer.echo(f"{mark} {one.part}  {told}")
        for reason in one.reasons:
            typer.echo(f"       {reason.code}: {reason.zh} {reason.en}")
    typer.echo("")
    typer.echo(f"{proof.about}: {found.zh} {found.en}")
    if found.stamps == STATED:
        typer.echo(
            "  时间戳的时间仅为其自述：未给出时间戳机构的根证书（--trust-stamps），未核验是谁所盖。"
            " The time of a stamp is what it states: no roots of time stamping authorities were given (--trust-stamps), so nobody"
            " was asked who made it."
        )
    if not found.known:
        for certificate in roots_used(proof, None):
            typer.echo(
                f"  SHA-256 {certificate.fingerprint(hashes.SHA256()).hex(':')}  {certificate.subject.rfc4514_string()}"
            )


def _refused(refused: ProofRefused, as_json: bool) -> None:
    told = proof_reason(refused.code)
    if as_json:
        typer.echo(
            json.dumps(
                {"holds": False, "reason": told.code, "at": refused.at, "zh": told.zh, "en": told.en},
                ensure_ascii=False,
            )
        )
    else:
        typer.echo(f"FAIL {refused.at or 'file'}  {told.code}: {told.zh} {told.en}")
    raise typer.Exit(BROKEN)


def _extracted(proof: Proof, folder: Path) -> None:
    """Names come from the file: none leads out of the folder."""
    folder.mkdir(parents=True)
    for name, content in proof.members.items():
        (folder / Path(name).name).write_bytes(content)
