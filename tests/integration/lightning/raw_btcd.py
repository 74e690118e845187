"""A btcd as a bare process, for tests of the chain alone; its configuration comes from the shipped template."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import jinja2

from cartridge import spawn
from cartridge.clock import SystemClock
from cartridge.lightning.chains.btcd import Btcd
from cartridge.lightning.chains.ledger import Ledger
from cartridge.operations.access import secrets
from cartridge.probes import btcd
from cartridge.probes.bitcoind import Credentials
from cartridge.probes.wait import Patience

TEMPLATE = Path(__file__).parents[3] / "templates" / "btcd.conf.j2"
PASSWORD = "not a secret"


@contextlib.contextmanager
def raw_btcd(program: Path, folder: Path, *, kill: bool = False) -> Iterator[Btcd]:
    """Give the chain in `folder`, with nothing but its first block on a new one; end or kill its daemon afterwards."""
    ports = {name: _free() for name in ("rpc", "p2p")}
    conf = folder / "btcd.conf"
    conf.write_text(
        jinja2.Template(TEMPLATE.read_text(), undefined=jinja2.StrictUndefined).render(
            component=SimpleNamespace(name="btcd"),
            settings=SimpleNamespace(rpc_clients=50, log_level="info"),
            secrets=SimpleNamespace(rpc_password=PASSWORD),
            listen=lambda _, port: f"127.0.0.1:{ports[port]}",
            data=lambda _: str(folder),
        )
    )
    with (folder / "log").open("ab") as log:
        process = spawn.start([str(program), f"--configfile={conf}"], output=log)
    try:
        yield _connected(folder, ports["rpc"])
    finally:
        process.kill() if kill else process.terminate()
        process.wait(30)


def _connected(folder: Path, port: int) -> Btcd:
    def connect(certificate: bytes) -> btcd.BtcdRpc:
        return btcd.BtcdRpc("127.0.0.1", port, Credentials(secrets.RPC_USER, PASSWORD), certificate.decode())

    place = folder / btcd.CERTIFICATE
    btcd.ready(
        lambda: place.read_bytes() if place.exists() else b"",
        connect,
        Patience.of(SystemClock(), 30, threading.Event()),
    )
    return Btcd(connect(place.read_bytes()), Ledger(folder / "blocks.hex"))


def _free() -> int:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])
