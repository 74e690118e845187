"""The chain and the nodes of a stack that is up, whatever its target."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cartridge.errors import MissingError
from cartridge.operations import credentials, secrets
from cartridge.operations.context import Context
from cartridge.plan.state import State
from cartridge.targets.driver import Address

if TYPE_CHECKING:
    from cartridge.lightning.chain import Chain
    from cartridge.lightning.lnd import Lnd
    from cartridge.probes.bitcoind import BitcoindRpc
    from cartridge.probes.btcd import BtcdRpc
    from cartridge.probes.lnd import LndRest


BTCD = "btcd"
CHAINS = frozenset({"bitcoind", BTCD})
"""The kinds of component that make a chain; a stack has one of them."""


def rpc(address: Address, held: Mapping[str, str]) -> BitcoindRpc:
    """Return the RPC of the bitcoind at `address`, with the stack's secrets."""
    from cartridge.probes.bitcoind import BitcoindRpc, Credentials

    return BitcoindRpc(address.host, address.port, Credentials(secrets.RPC_USER, held["rpc_password"]))


def btcd_rpc(address: Address, held: Mapping[str, str], certificate: bytes) -> BtcdRpc:
    """Return the RPC of the btcd at `address`, with the stack's secrets and its certificate (PEM)."""
    from cartridge.probes.bitcoind import Credentials
    from cartridge.probes.btcd import BtcdRpc

    credentials = Credentials(secrets.RPC_USER, held["rpc_password"])
    return BtcdRpc(address.host, address.port, credentials, certificate.decode("ascii"))


def chain_at(kind: str, address: Address, held: Mapping[str, str], folder: Path) -> Chain:
    """Return the chain a component of kind `bitcoind` or `btcd` makes, given its RPC port and the stack's folder.

    Raises:
        MissingError: `credentials-missing`, btcd has not been ready yet.
    """
    if kind == BTCD:
        from cartridge.lightning.btcd import Btcd
        from cartridge.probes.btcd import CERTIFICATE

        return Btcd(btcd_rpc(address, held, credentials.read(folder, BTCD, CERTIFICATE)))
    from cartridge.lightning.chain import Bitcoind

    return Bitcoind(rpc(address, held))


def rest(name: str, address: Address, folder: Path) -> LndRest:
    """Return the REST of the lnd called `name` at `address`, with its credentials from the stack's folder.

    Raises:
        MissingError: `credentials-missing`.
    """
    from cartridge.lightning.lnd import load_identity
    from cartridge.probes.lnd import LndRest

    return LndRest(name, address.host, address.port, load_identity(lambda path: credentials.read(folder, name, path)))


def chain(context: Context, state: State) -> Chain:
    """Return the chain of a stack that is up.

    Raises:
        MissingError: `no-chain`, the stack has none.
    """
    folder = context.folder(state.stack)
    for record in state.components.values():
        if record.kind in CHAINS:
            address = Address("127.0.0.1", record.ports["rpc"])
            return chain_at(record.kind, address, secrets.ensure(folder), folder)
    raise MissingError(
        f"`{state.name}` has no chain", code="no-chain", resolution="use the cartridge `bitcoin-regtest`"
    )


def nodes(context: Context, state: State) -> dict[str, Lnd]:
    """Return every Lightning node of a stack that is up, by name."""
    from cartridge.lightning.lnd import Lnd

    folder = context.folder(state.stack)
    return {
        name: Lnd(rest(name, Address("127.0.0.1", record.ports["rest"]), folder))
        for name, record in state.components.items()
        if record.node
    }


def node(context: Context, state: State, name: str) -> Lnd:
    """Return one node of a stack that is up.

    Raises:
        MissingError: `component-unknown`, or `not-a-node`.
    """
    from cartridge.operations.selection import component

    if not state.components[component(state, name)].node:
        there = ", ".join(f"`{one}`" for one, record in state.components.items() if record.node)
        raise MissingError(
            f"`{name}` is no Lightning node", code="not-a-node", resolution=f"the nodes are {there}" if there else ""
        )
    return nodes(context, state)[name]
