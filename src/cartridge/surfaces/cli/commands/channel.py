"""`cartridge channel`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cartridge.surfaces.cli.command import command, group
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, WAIT_TIMEOUT
from cartridge.surfaces.cli.quantities import amount_of, amount_text
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Style, count
from cartridge.surfaces.cli.suggestions import suggest

if TYPE_CHECKING:
    from cartridge.operations.results.networks import ChannelCloseResult, ChannelsResult, ChannelView

TYPES = ("static-remote-key", "anchors", "taproot")
CLOSING = frozenset({"waiting-close", "closing", "force-closing"})
"""States of channels that are being closed."""
WIDTH = 20
"""Characters of the bar that shows who holds how much."""


@command("open", *CHOOSE, WAIT_TIMEOUT)
@click.argument("opener", shell_complete=suggest("node"))
@click.argument("acceptor", shell_complete=suggest("node"))
@click.argument("capacity", nargs=-1, required=True, metavar="CAPACITY")
@click.option("--push", default="", metavar="AMOUNT", help="Give this to the other end at the start.")
@click.option("--private", is_flag=True, help="Do not announce it to the network.")
@click.option("--zero-conf", is_flag=True, help="Use it before it is confirmed, and mine nothing.")
@click.option(
    "--type", "kind", type=click.Choice(TYPES), default=None, help="Of its commitments; else the newest both know."
)
def open_(
    session: Session, flags: Flags, *, capacity: tuple[str, ...], push: str, kind: str | None, **ends: Any
) -> None:
    """Open a channel, paid from the opener's wallet, and mine until it is active.

    For example: cartridge channel open alice bob 1_000_000 sat --push 250_000sat

    `cartridge up` knows nothing of it: it is neither counted nor closed by it. To keep one, write it into the stack.
    """
    from cartridge.operations.channels import Wanted

    wanted = Wanted(capacity=amount_of(capacity), push=amount_of((push,)) if push else 0, type=kind, **ends)
    with session.context("channel", flags) as context:
        result = session.verbs.open_channel(context, wanted=wanted)
    session.answer(
        "channel-open",
        result,
        lambda style: (
            f"opened a channel {_after(result.blocks)}; `up` leaves it alone\n" + table((result.channel,), style)
        ),
    )


@command("close", *CHOOSE, WAIT_TIMEOUT)
@click.argument("which", nargs=-1, required=True, metavar="CHANNEL|NODE NODE")
@click.option("--force", is_flag=True, help="Close it alone, without asking the other end.")
def close(session: Session, flags: Flags, *, which: tuple[str, ...], force: bool) -> None:
    """Close a channel, and mine until it is gone.

    For example: cartridge channel close alice bob

    A channel is its two ends, its name as in the documents, its short id or its funding output. `cartridge up` opens
    one again that the documents ask for.
    """
    if len(which) > 2:
        raise click.UsageError("give a channel, or its two ends")
    with session.context("channel", flags) as context:
        result = session.verbs.close_channel(context, which=which, force=force)
    how = "by force" if force else "by agreement"
    session.answer(
        "channel-close",
        result,
        lambda _: (
            f"closed {result.channel.opener} → {result.channel.acceptor} of {amount_text(result.channel.capacity)}"
            f" {how} after {count(result.blocks, 'block')}\ntransaction {result.txid}\n" + _locked(result)
        ),
    )


def _locked(result: ChannelCloseResult) -> str:
    if not result.blocks_left:
        return ""
    return (
        f"its money can be spent after {count(result.blocks_left, 'more block')}"
        f" (`cartridge mine {result.blocks_left}`); until then `cartridge channel ls` shows it\n"
    )


@command("ls", *CHOOSE)
def ls(session: Session, flags: Flags) -> None:
    """List every channel: who holds how much, both policies, and whether it can carry payments.

    A channel without a name was opened by hand; `cartridge up` leaves it alone. Channels that are being closed stand
    last: `waiting-close` until that is in a block, then `closing`, or `force-closing` while money is locked.
    """
    with session.context("channels", flags) as context:
        result = session.verbs.channels(context)
    session.answer("channels", result, lambda style: text(result, style))


def text(result: ChannelsResult, style: Style) -> str:
    """Return a table of all channels, and whom could not be asked."""
    absent = "".join(f"{name} does not answer\n" for name in result.absent)
    return (table(result.channels, style) if result.channels else "there are no channels\n") + absent


def table(channels: tuple[ChannelView, ...], style: Style) -> str:
    """Return channels as aligned columns; the bar is the opener's share."""
    rows = [
        (
            channel.name or "(by hand)",
            f"{_short(channel.opener)} → {_short(channel.acceptor)}",
            channel.state,
            amount_text(channel.capacity),
            f"{amount_text(channel.local)} {_bar(channel)} {amount_text(channel.remote)}",
            _policies(channel),
            channel.scid + _marks(channel),
        )
        for channel in channels
    ]
    return style.table(("NAME", "CHANNEL", "STATE", "CAPACITY", "BALANCES", "FEES", "ID"), rows, states=2)


def _after(blocks: int) -> str:
    return f"after {count(blocks, 'block')}" if blocks else "before any block"


def _marks(channel: ChannelView) -> str:
    """Return what is not ordinary about a channel."""
    words = {
        "private": channel.private,
        "unconfirmed": channel.unconfirmed,
        "zero-conf": channel.zero_conf and not channel.unconfirmed,
        channel.type: channel.type not in {"", "anchors"},
    }
    return "".join(f" {word}" for word, is_so in words.items() if is_so)


def _bar(channel: ChannelView) -> str:
    whole = channel.local + channel.remote
    mine = round(WIDTH * channel.local / whole) if whole else 0
    return "█" * mine + "░" * (WIDTH - mine)


def _policies(channel: ChannelView) -> str:
    if channel.blocks_left:
        return f"{count(channel.blocks_left, 'block')} left"
    if channel.state in CLOSING:
        return ""
    fees = {policy.node: f"{policy.base_fee} msat + {policy.fee_rate} ppm" for policy in channel.policies}
    each = [fees.get(end, "?") for end in (channel.opener, channel.acceptor)]
    return each[0] if each[0] == each[1] else " | ".join(each)


def _short(name: str) -> str:
    return name if len(name) < 60 else f"{name[:8]}…"


COMMAND = group("channel", "Open, close and list channels.", open_, close, ls)
