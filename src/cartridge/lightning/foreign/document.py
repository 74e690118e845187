"""An imported network as a stack document, for people to read and go on with. Pure text."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Collection, Iterator

from cartridge.lightning.foreign.fitting import Fitted
from cartridge.lightning.foreign.imported import ImportedChannel, ImportedPolicy
from cartridge.model.quantities import format_amount

_WIDTH = 116


def text(fitted: Fitted, name: str, cartridges: Collection[str]) -> str:
    """Return the YAML of a stack.

    Args:
        fitted: the network.
        name: of the stack.
        cartridges: references such as `lightning@1`.
    """
    notes = [f"Imported from {fitted.source}.", *(f"{note[0].upper()}{note[1:]}." for note in fitted.notes)]
    head = [line for note in notes for line in textwrap.wrap(note, _WIDTH)]
    lines = [
        "apiVersion: cartridge/v1",
        "kind: Stack",
        "metadata:",
        f"  name: {name}",
        f"  description: {json.dumps(f'A network imported from {fitted.source}.')}",
        "use:",
        *(f"  - cartridge: {reference}" for reference in cartridges),
        "network:",
        "  nodes:",
        *(f"    {node}: {_node(*about)}" for node, about in fitted.nodes.items()),
    ]
    if fitted.channels:
        lines += ["  channels:", *(line for channel in fitted.channels for line in _channel(channel))]
    return "".join(f"{line}\n" for line in (*(f"# {line}" for line in head), *lines))


def _node(implementation: str, alias: str | None) -> str:
    said = f", alias: {json.dumps(alias, ensure_ascii=False)}" if alias else ""
    return f"{{implementation: {implementation}{said}}}"


def _channel(channel: ImportedChannel) -> Iterator[str]:
    parts = [
        f"from: {channel.opener}",
        f"to: {channel.acceptor}",
        f"capacity: {(channel.capacity or 0):_} sat",
        *([f"push: {channel.push:_} sat"] if channel.push else []),
        *(["private: true"] if channel.private else []),
    ]
    policies = {name: words for name, policy in channel.policies.items() if (words := _policy(policy))}
    if not policies:
        yield f"    - {{{', '.join(parts)}}}"
        return
    yield f"    - {parts[0]}"
    yield from (f"      {part}" for part in parts[1:])
    yield "      policies:"
    yield from (f"        {name}: {{{words}}}" for name, words in policies.items())


def _policy(policy: ImportedPolicy) -> str:
    written = {
        "base_fee": _amount(policy.base_fee),
        "fee_rate": policy.fee_rate,
        "time_lock_delta": policy.time_lock_delta,
        "min_htlc": _amount(policy.min_htlc),
        "max_htlc": _amount(policy.max_htlc),
    }
    return ", ".join(f"{key}: {value}" for key, value in written.items() if value is not None)


def _amount(millisatoshi: int | None) -> str | None:
    return None if millisatoshi is None else format_amount(millisatoshi)
