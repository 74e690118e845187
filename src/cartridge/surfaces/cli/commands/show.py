"""`cartridge show`."""

from __future__ import annotations

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, OFFLINE
from cartridge.surfaces.cli.session import Session

PRODUCTS = ("workspace", "stack", "plan", "bundle", "settings")


@command("show", *CHOOSE, OFFLINE)
@click.argument("product", type=click.Choice(PRODUCTS), metavar="PRODUCT")
def show(session: Session, flags: Flags, *, product: str) -> None:
    """Print a product of the pipeline, to see at which stage something becomes what it is.

    PRODUCT is `workspace`, `stack`, `plan`, `bundle` or `settings`.
    """
    with session.context("show", flags) as context:
        result = session.verbs.show(context, product=product)
    session.answer("show", result, lambda _: result.text.rstrip("\n") + "\n")


COMMAND = show
