"""Pays nodes that run what their written balance has grown by. Never takes money away.

An address is remembered before it is paid: a run that is killed in between is taken up, and nobody is paid twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from cartridge.deploy import statefile
from cartridge.model.quantities import format_amount
from cartridge.operations.access import follow, grip
from cartridge.operations.access.context import Context
from cartridge.operations.startup import live
from cartridge.plan.balances import owed, surplus
from cartridge.plan.state import State
from cartridge.probes.wait import until
from cartridge.workspace.resolved import ResolvedStack

if TYPE_CHECKING:
    from cartridge.lightning.nodes.node import Node

_SATOSHI = 1_000
"""Millisatoshis in a satoshi."""


def given(stack: ResolvedStack, before: State | None) -> dict[str, int]:
    """Return what each node was given when the components are made, in millisatoshis.

    Args:
        stack: what is wanted; a new node is given what is written.
        before: what the last `up` left, or the snapshot the run starts from.
    """
    if stack.network is None:
        return {}
    kinds = {name: record.kind for name, record in before.components.items()} if before else {}
    known = before.given if before else {}
    stays = {one.name for one in stack.components if kinds.get(one.name) == one.kind}
    written = {name: node.balance for name, node in stack.network.nodes.items()}
    return {name: known.get(name, amount) if name in stays else amount for name, amount in written.items()}


def settle(context: Context, stack: ResolvedStack, state: State) -> State:
    """Pay every node what it is owed, confirmed; return the state with what was given, which is on disk already.

    Raises:
        ApplyError: `coins-exhausted`.
        UnknownVerdictError: `wait-timeout`, a node does not see its coins.
    """
    state = _kept_promises(context, state)
    for name, amount in surplus(stack.network, state.given).items():
        context.recorder.note(
            f"`{name}` was given {format_amount(amount)} more than is written now, and keeps it: `up` takes no money"
        )
    missing = owed(stack.network, state.given)
    if not missing:
        return state
    from cartridge.lightning.chains.bitcoind import Output

    folder, patience = context.folder(state.stack), live.patience(context, stack.network)
    with context.recorder.step("network/balances", "wallets: paying what balances grew by") as step:
        nodes = {name: grip.node(context, state, name) for name in missing}
        state = replace(state, promised={name: node.new_address() for name, node in nodes.items()})
        statefile.write(folder, state)
        with follow.producer(context, state) as producer:
            txid = producer.pay([Output(state.promised[name], amount // _SATOSHI) for name, amount in missing.items()])
        for name, node in nodes.items():
            until(partial(_sees, node, txid), f"`{name}` to see its coins", patience)
        step.note = ", ".join(f"{name} {format_amount(amount)}" for name, amount in missing.items())
    state = _with(state, missing)
    statefile.write(folder, state)
    return state


def _kept_promises(context: Context, state: State) -> State:
    """Return the state with what an earlier run, which was killed, has paid without writing it down."""
    if not state.promised:
        return state
    of = {address: name for name, address in state.promised.items()}
    coins = grip.chain(context, state).unspent(of)
    return _with(state, {of[coin.address]: coin.amount * _SATOSHI for coin in coins})


def _with(state: State, paid: Mapping[str, int]) -> State:
    whole = {name: amount + paid.get(name, 0) // _SATOSHI * _SATOSHI for name, amount in state.given.items()}
    return replace(state, given=whole, promised={})


def _sees(node: Node, txid: str) -> bool:
    return any(coin.outpoint.startswith(txid) and coin.confirmations for coin in node.coins())
