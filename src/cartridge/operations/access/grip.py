"""The chain and the nodes of a stack that is up, whatever its target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cartridge.errors import MissingError
from cartridge.operations.access import credentials, secrets
from cartridge.operations.access.context import Context
from cartridge.plan.state import ComponentRecord, State
from cartridge.targets.driver import Address

if TYPE_CHECKING:
    from cartridge.lightning.chains.bitcoind import Chain
    from cartridge.lightning.chains.btcd import Btcd
    from cartridge.lightning.nodes.cln import Cln
    from cartridge.lightning.nodes.eclair import Eclair
    from cartridge.lightning.nodes.node import Node
    from cartridge.probes.bitcoind import BitcoindRpc
    from cartridge.probes.btcd import BtcdRpc
    from cartridge.probes.eclair import EclairHttp
    from cartridge.probes.ldk import LdkHttp
    from cartridge.probes.lnd import LndRest


LDK = "ldk"
"""The kind of component that runs LDK; a node that is none of these three is an lnd."""
CLN = "cln"
ECLAIR = "eclair"
BTCD = "btcd"
CLN_NOTES = "cln.json"
"""Where it is kept how a Core Lightning node is reached, among its credentials."""
ECLAIR_NOTES = "eclair.json"
"""Where it is kept how the wallet of an eclair node is reached, among its credentials."""
LEDGER = "ledger"
"""Where it is kept which file holds a btcd's blocks."""
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


def btcd(address: Address, held: Mapping[str, str], folder: Path) -> Btcd:
    """Return the chain of the btcd at `address`, by what was kept when it answered.

    Raises:
        MissingError: `credentials-missing`.
    """
    from cartridge.lightning.chains.btcd import Btcd
    from cartridge.lightning.chains.ledger import Ledger
    from cartridge.probes.btcd import CERTIFICATE

    ledger = Ledger(Path(credentials.read(folder, BTCD, LEDGER).decode()))
    return Btcd(btcd_rpc(address, held, credentials.read(folder, BTCD, CERTIFICATE)), ledger)


def chain_at(kind: str, address: Address, held: Mapping[str, str], folder: Path) -> Chain:
    """Return the chain a component of kind `bitcoind` or `btcd` makes, given its RPC port and the stack's folder.

    Raises:
        MissingError: `credentials-missing`, btcd has not been ready yet.
    """
    if kind == BTCD:
        return btcd(address, held, folder)
    from cartridge.lightning.chains.bitcoind import Bitcoind

    return Bitcoind(rpc(address, held))


def rest(name: str, address: Address, folder: Path) -> LndRest:
    """Return the REST of the lnd called `name` at `address`, with its credentials from the stack's folder.

    Raises:
        MissingError: `credentials-missing`.
    """
    from cartridge.lightning.nodes.lnd import load_identity
    from cartridge.probes.lnd import LndRest

    return LndRest(name, address.host, address.port, load_identity(lambda path: credentials.read(folder, name, path)))


def http(name: str, address: Address, folder: Path) -> LdkHttp:
    """Return the HTTP of the LDK node called `name` at `address`, with its credentials from the stack's folder.

    Raises:
        MissingError: `credentials-missing`.
    """
    from cartridge.lightning.nodes.ldk import load_identity
    from cartridge.probes.ldk import LdkHttp

    return LdkHttp(name, address.host, address.port, load_identity(lambda path: credentials.read(folder, name, path)))


def cln(name: str, folder: Path) -> Cln:
    """Return the Core Lightning node called `name`, by the notes that were kept when it was ready.

    Raises:
        MissingError: `credentials-missing`.
    """
    from cartridge.lightning.nodes.cln import Cln
    from cartridge.lightning.nodes.cln_calls import Notes
    from cartridge.probes.cln import ClnRpc

    notes = Notes.model_validate_json(credentials.read(folder, name, CLN_NOTES))
    bitcoind = rpc(Address(notes.bitcoind_host, notes.bitcoind_port), secrets.ensure(folder))
    return Cln(ClnRpc(name, notes.folder), bitcoind.block_transactions)


def eclair_http(name: str, address: Address, held: Mapping[str, str]) -> EclairHttp:
    """Return the HTTP of the eclair called `name` at `address`; its password is the one that opens bitcoind."""
    from cartridge.probes.eclair import EclairHttp

    return EclairHttp(name, address.host, address.port, held["rpc_password"])


def eclair(name: str, address: Address, folder: Path) -> Eclair:
    """Return the eclair called `name` at `address`, by the notes that were kept when it was ready.

    Raises:
        MissingError: `credentials-missing`.
    """
    from cartridge.lightning.nodes.eclair import Eclair
    from cartridge.lightning.nodes.eclair_calls import Notes

    notes = Notes.model_validate_json(credentials.read(folder, name, ECLAIR_NOTES))
    held = secrets.ensure(folder)
    return Eclair(eclair_http(name, address, held), rpc(Address(notes.bitcoind_host, notes.bitcoind_port), held))


def node_at(kind: str, name: str, address: Callable[[str], Address], folder: Path) -> Node:
    """Return the node called `name`, which a component of kind `lnd`, `ldk`, `cln` or `eclair` runs.

    Args:
        kind: of its component.
        name: in the network.
        address: returns where one of its ports is reached.
        folder: the stack's folder of state.

    Raises:
        MissingError: `credentials-missing`.
    """
    if kind == LDK:
        from cartridge.lightning.nodes.ldk import Ldk

        return Ldk(http(name, address("api"), folder))
    if kind == CLN:
        return cln(name, folder)
    if kind == ECLAIR:
        return eclair(name, address("api"), folder)
    from cartridge.lightning.nodes.lnd import Lnd

    return Lnd(rest(name, address("rest"), folder))


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


def nodes(context: Context, state: State) -> dict[str, Node]:
    """Return every Lightning node of a stack that is up, by name."""
    folder = context.folder(state.stack)
    return {
        name: node_at(record.kind, name, partial(_published, record), folder)
        for name, record in state.components.items()
        if record.node
    }


def _published(record: ComponentRecord, port: str) -> Address:
    return Address("127.0.0.1", record.ports[port])


def node(context: Context, state: State, name: str) -> Node:
    """Return one node of a stack that is up.

    Raises:
        MissingError: `component-unknown`, or `not-a-node`.
    """
    from cartridge.operations.access.selection import component

    if not state.components[component(state, name)].node:
        there = ", ".join(f"`{one}`" for one, record in state.components.items() if record.node)
        raise MissingError(
            f"`{name}` is no Lightning node", code="not-a-node", resolution=f"the nodes are {there}" if there else ""
        )
    return nodes(context, state)[name]
