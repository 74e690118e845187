"""`cartridge fund`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, WAIT_TIMEOUT
from cartridge.surfaces.cli.quantities import amount_of, amount_text
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.suggestions import suggest

if TYPE_CHECKING:
    from cartridge.operations.results.networks import FundResult


@command("fund", *CHOOSE, WAIT_TIMEOUT)
@click.argument("node", metavar="NODE|ADDRESS", shell_complete=suggest("node"))
@click.argument("amount", nargs=-1, required=True, metavar="AMOUNT")
def fund(session: Session, flags: Flags, *, node: str, amount: tuple[str, ...]) -> None:
    """Give a node, or any regtest address, on-chain money, confirmed.

    For example: cartridge fund alice 1 btc
    """
    asked = amount_of(amount)
    with session.context("fund", flags) as context:
        result = session.verbs.fund(context, node=node, amount=asked)
    session.answer("fund", result, lambda _: text(result))


def text(result: FundResult) -> str:
    """Return who got what."""
    got = f"got {amount_text(result.amount)} at height {result.height}"
    if result.node:
        return f"{result.node} {got} and has {amount_text(result.balance)} on chain\ntransaction {result.txid}\n"
    return f"{result.address} {got}\ntransaction {result.txid}\n"


COMMAND = fund
