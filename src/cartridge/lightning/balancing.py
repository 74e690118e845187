"""Pays over a channel until its split is as written; free of fees, because a payment takes that channel alone."""

from __future__ import annotations

from cartridge.lightning import topology
from cartridge.lightning.nodes.node import Node, PaymentError
from cartridge.lightning.observation import look_at_graph
from cartridge.lightning.planning import NetworkPlan
from cartridge.lightning.run import Run
from cartridge.lightning.topology import ChannelKey
from cartridge.probes.wait import until

_SATOSHI = 1_000
"""Millisatoshis in a satoshi."""
_WITHIN = 10.0
"""Seconds one payment may take."""


def balance(run: Run, plan: NetworkPlan) -> None:
    """Bring every channel of `plan.balance` to the split that is written.

    Raises:
        UnknownVerdictError: `wait-timeout`, a payment never passed.
    """
    if not plan.balance:
        return
    with run.recorder.step("network/balance", f"channels: balancing {len(plan.balance)}"):
        run.everywhere(lambda key: _balance(run, key), plan.balance)


def _balance(run: Run, key: ChannelKey) -> None:
    opener, acceptor = run.handles.nodes[key.opener], run.handles.nodes[key.acceptor]
    target, point = topology.pushed(run.wanted[key]), run.points[key]

    def done() -> bool:
        channel = next(one for one in opener.channels() if one.point == point)
        missing = target - channel.remote
        if missing:
            payer, payee = (opener, acceptor) if missing > 0 else (acceptor, opener)
            amount = min(abs(missing) * _SATOSHI, _most(payer, (point, run.pubkeys[payer.name])))
            request = payee.invoice(amount, "cartridge balance").request
            own = next(one for one in payer.channels() if one.point == point)
            payer.pay(request, fee_limit=0, within=_WITHIN, through=own.scid)
        return not missing

    until(done, f"`{key}` to be split as written", run.patience, expected=(PaymentError,))


def _most(payer: Node, end: tuple[str, str]) -> int:
    """Return the millisatoshis an end passes on at once."""
    return look_at_graph(payer)[end].max_htlc // _SATOSHI * _SATOSHI
