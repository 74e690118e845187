"""Proof that a channel carries payments both ways, which leaves its split as it was.

Where both ends hold enough, each pays the other the same amount. An end that holds too little cannot pay, and is
not asked to; the other one then sends a payment that its receiver must refuse, so that nothing moves either. The same
goes for an end that cannot lead a payment over the channel that is meant: what it paid might come back another way.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from cartridge.errors import ApplyError, UnknownVerdictError
from cartridge.lightning.nodes.node import Node, NodeChannel, PaymentError
from cartridge.probes.wait import Patience, until

AMOUNT = 1_009_000
"""Millisatoshis of a probe payment: above every dust limit, so that it is a real contract in the channel, and no
amount that people pay, so that a lone one is known for what it is."""
_SATOSHI = 1_000
_MARGIN = 5_000
"""Satoshis an end needs beyond its reserve and the amount: the commitment's fee grows with each contract."""
_WITHIN = 10.0
"""Seconds one attempt may take."""


def prove(ends: tuple[Node, Node], point: str, patience: Patience) -> int:
    """Return how many payments passed over the channel at `point`.

    Args:
        ends: the opener and the other one.
        point: of the channel.
        patience: how long all of it may take.

    Raises:
        UnknownVerdictError: `wait-timeout`, a payment never passed, or the balances are not what they were.
    """
    before = _channel(ends[0], point)
    payers = [pair for pair, holds in zip((ends, ends[::-1]), _able(before), strict=True) if holds]
    scids = [_channel(payer, point).scid for payer, _ in payers]  # each end may call it by a number of its own
    is_balanced = len(payers) == len(ends) and all(
        payer.steers(scid) for (payer, _), scid in zip(payers, scids, strict=True)
    )
    for (payer, payee), scid in zip(payers, scids, strict=True):
        if is_balanced:
            _pay(payer, payee, scid, patience)
        else:
            _test(payer, payee, scid, patience)
    _unspoilt(ends[0], before, patience)
    return len(payers)


def test(ends: tuple[Node, Node], point: str, patience: Patience) -> int:
    """Return how many payments reached the other end and came back: one, or none where neither end holds enough.

    Args:
        ends: the opener and the other one.
        point: of the channel, which is active.
        patience: how long it may take.

    Raises:
        UnknownVerdictError: `wait-timeout`, none ever did.
    """
    channel = _channel(ends[0], point)
    for (payer, payee), holds in zip((ends, ends[::-1]), _able(channel), strict=True):
        if holds:
            _test(payer, payee, _channel(payer, point).scid, patience)
            return 1
    return 0


def half_proven(channel: NodeChannel) -> bool:
    """Return whether all that ever moved over a channel are probes, the last one not back: its run was killed."""
    probe = AMOUNT // _SATOSHI
    moved = sorted((channel.sent, channel.received))
    return moved[1] - moved[0] == probe and not moved[0] % probe


def pay_back(ends: tuple[Node, Node], point: str, patience: Patience) -> None:
    """Finish a half probe, so that the split is as written; `ends` are the opener and the other one.

    Raises:
        UnknownVerdictError: `wait-timeout`.
    """
    channel = _channel(ends[0], point)
    if half_proven(channel):
        payer, payee = ends if channel.received else ends[::-1]
        _pay(payer, payee, _channel(payer, point).scid, patience)


def _able(channel: NodeChannel) -> tuple[bool, bool]:
    """Return whether the opener, and the other end, hold enough to pay."""
    least = AMOUNT // _SATOSHI + _MARGIN
    return channel.local - channel.local_reserve >= least, channel.remote - channel.remote_reserve >= least


def _pay(payer: Node, payee: Node, scid: int, patience: Patience) -> None:
    def paid() -> bool:
        request = payee.invoice(AMOUNT, "cartridge probe").request
        payer.pay(request, fee_limit=0, within=_WITHIN, through=scid)
        return True

    _insist(paid, payer, payee, patience)


def _test(payer: Node, payee: Node, scid: int, patience: Patience) -> None:
    pubkey = payee.info().pubkey

    def reached() -> bool:
        try:
            payer.test_route(pubkey, AMOUNT, through=scid, within=_WITHIN)
        except ApplyError as error:
            if error.code != "not-supported":
                raise
            _pay_in_vain(payer, payee, scid)
        return True

    _insist(reached, payer, payee, patience)


def _pay_in_vain(payer: Node, payee: Node, scid: int) -> None:
    """Pay an invoice that its maker has withdrawn: the payment arrives, and comes back.

    Raises:
        PaymentError: it did not arrive.
    """
    payment_hash = secrets.token_hex(32)
    request = payee.hold_invoice(AMOUNT, payment_hash, "cartridge probe").request
    payee.cancel(payment_hash)
    try:
        payer.pay(request, fee_limit=0, within=_WITHIN, through=scid if payer.steers(scid) else None)
    except PaymentError as error:
        if not error.reached:
            raise


def _insist(attempt: Callable[[], bool], payer: Node, payee: Node, patience: Patience) -> None:
    """Try again for as long as there is patience: a link that has just become active may still refuse."""
    until(attempt, f"a payment from `{payer.name}` to `{payee.name}`", patience, expected=(PaymentError,))


def _channel(node: Node, point: str) -> NodeChannel:
    for channel in node.channels():
        if channel.point == point:
            return channel
    raise UnknownVerdictError(f"`{node.name}` has no channel `{point}` any more", code="channels-inactive")


def _unspoilt(node: Node, before: NodeChannel, patience: Patience) -> None:
    """Return once what was paid there and back has left the split as it was, or others pay over the channel as well."""
    of_ours = before.sent + before.received + 2 * AMOUNT // _SATOSHI

    def as_before() -> bool:
        now = _channel(node, before.point)
        return (now.local, now.remote) == (before.local, before.remote) or now.sent + now.received > of_ours

    until(as_before, f"the split of `{before.point}` to be as it was", patience)
