"""`cartridge faucet`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE
from cartridge.surfaces.cli.quantities import amount_of, amount_text
from cartridge.surfaces.cli.session import Session

if TYPE_CHECKING:
    from cartridge.operations.results.networks import FaucetResult


@command("faucet", *CHOOSE)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where to listen on loopback.  [default: free]")
@click.option("--token-file", type=click.Path(path_type=Path), help="Holds the token; made where it is not there.")
@click.option("--most", default="1 btc", metavar="AMOUNT", show_default=True, help="What one request may ask for.")
def faucet(session: Session, flags: Flags, *, port: int, token_file: Path | None, most: str) -> None:
    """Give coins to programs that ask over HTTP, until Ctrl-C.

    \b
    curl -H "Authorization: Bearer $(cat TOKEN_FILE)" -d '{"node": "alice", "amount": "1 btc"}' URL

    An `address` may stand instead of a `node`. Only programs on this machine reach it, and only with the token.
    """  # noqa: D301 - click's own mark against wrapping
    with session.context("faucet", flags) as context:
        session.verbs.faucet(
            context,
            port=port,
            token_file=token_file,
            most=amount_of((most,)),
            begun=lambda result: session.answer("faucet", result, lambda _: text(result)),
        )


def text(result: FaucetResult) -> str:
    """Return where it is and how to ask."""
    return (
        f"the faucet of {result.stack} is at {result.url}\n"
        f"its token is in {result.token_file}; a request may ask for {amount_text(result.most)}\n"
    )


COMMAND = faucet
