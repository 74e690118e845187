"""Pays nodes whose wallets could not be written ahead: once they run, by an address of their own making.

Safe to repeat: whoever has coins or channels is not paid again. Never pays a node that genesis has paid.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

from cartridge.journal.recorder import Recorder
from cartridge.lightning.chains.bitcoind import Output
from cartridge.lightning.nodes.node import Node
from cartridge.lightning.run import Handles
from cartridge.lightning.topology import funding
from cartridge.model.network import Network
from cartridge.probes.wait import Patience, until

LATE = frozenset({"cln", "eclair"})
"""Implementations that are paid after their start."""


def pay_late(network: Network, handles: Handles, recorder: Recorder, patience: Patience) -> None:
    """Pay every node that must be and has nothing yet, with one transaction; return when each sees its coins.

    Args:
        network: says how much.
        handles: what runs.
        recorder: is told the step `network/late`, where there is somebody to pay.
        patience: how long the nodes may take.
    """
    coins = funding(network)
    names = [name for name, node in network.nodes.items() if node.implementation in LATE and coins[name]]
    if not names:
        return
    with recorder.step("network/late", "wallets: sending coins") as step, ThreadPoolExecutor(len(names)) as pool:
        has_something = list(pool.map(lambda name: _has_something(handles.nodes[name]), names))
        poor = [name for name, rich in zip(names, has_something, strict=True) if not rich]
        if not poor:
            step.skip("every coin is there")
            return
        handles.chain.pay([output for name in poor for output in _outputs(handles.nodes[name], coins[name])])
        list(pool.map(lambda name: _see(handles.nodes[name], coins[name], patience), poor))


def _has_something(node: Node) -> bool:
    return bool(node.coins() or node.channels())


def _outputs(node: Node, amounts: Sequence[int]) -> list[Output]:
    return [Output(node.new_address(), amount) for amount in amounts]


def _see(node: Node, amounts: Collection[int], patience: Patience) -> None:
    def there() -> bool:
        return len([coin for coin in node.coins() if coin.confirmations]) >= len(amounts)

    until(there, f"`{node.name}` to see its coins", patience)
