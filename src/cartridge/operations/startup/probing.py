"""Asks each component, by the probe its cartridge names, whether it is ready. One place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import assert_never

from msgspec import Struct

from cartridge.deploy.engine import Placement
from cartridge.model.cartridge import (
    BitcoindProbe,
    BtcdProbe,
    ClnProbe,
    EclairProbe,
    ExitProbe,
    HttpProbe,
    LdkProbe,
    LndProbe,
    LogProbe,
    TcpProbe,
)
from cartridge.operations.access import credentials, grip
from cartridge.operations.access.context import Context
from cartridge.operations.startup.readiness import Probe
from cartridge.probes.wait import Patience
from cartridge.targets.driver import Driver
from cartridge.workspace.resolved import ResolvedComponent


def prober(context: Context, driver: Driver, places: Placement, folder: Path, held: Mapping[str, str]) -> Probe:
    """Return what asks a component until it is ready.

    Args:
        context: of this run; its `wait_timeout` overrides a component's own.
        driver: the grip on the components.
        places: where each has its data, as it sees it.
        folder: the stack's folder of state.
        held: the stack's secrets.
    """
    from cartridge.probes import exit, http, log, tcp  # noqa: A004

    daemons = _Daemons(driver, places, folder, held)

    def probe(component: ResolvedComponent) -> None:
        limit = context.options.wait_timeout or component.timeout
        patience = Patience.of(context.clock, limit / 1000, context.cancelled)
        name = component.name
        match component.ready:
            case TcpProbe(port=port):
                address = driver.address(name, port)
                tcp.ready(address.host, address.port, patience)
            case HttpProbe(port=port, path=path, status=status):
                http.ready(f"http://{driver.address(name, port)}{path}", patience, status=status)
            case LogProbe(pattern=pattern):
                log.ready(lambda: driver.logs(name), pattern, patience)
            case ExitProbe():
                exit.ready(lambda: driver.conditions()[name].exit_status, name, patience)
            case daemon:
                daemons.ready(daemon, name, patience)

    return probe


class _Daemons(Struct, frozen=True):
    """Asks the daemons that must prove who they are; the attributes are `prober`'s arguments."""

    driver: Driver
    places: Placement
    folder: Path
    held: Mapping[str, str]

    def ready(
        self,
        probe: BitcoindProbe | BtcdProbe | ClnProbe | EclairProbe | LdkProbe | LndProbe,
        name: str,
        patience: Patience,
    ) -> None:
        """Return when the daemon called `name` is ready and the one that is meant."""
        from cartridge.probes import bitcoind, ldk, lnd

        match probe:
            case BitcoindProbe():
                rpc = grip.rpc(self.driver.address(name, "rpc"), self.held)
                bitcoind.ready(rpc, self.places.data(name), patience)
            case BtcdProbe():
                self._btcd(name, patience)
            case ClnProbe():
                self._cln(name, patience)
            case EclairProbe():
                self._eclair(name, patience)
            case LdkProbe():
                ldk.ready(grip.http(name, self.driver.address(name, "api"), self.folder), patience)
            case LndProbe():
                lnd.ready(grip.rest(name, self.driver.address(name, "rest"), self.folder), patience)
            case other:
                assert_never(other)

    def _btcd(self, name: str, patience: Patience) -> None:
        from cartridge.probes import btcd

        address = self.driver.address(name, "rpc")
        btcd.ready(
            lambda: self.driver.read(name, btcd.CERTIFICATE),
            lambda certificate: grip.btcd_rpc(address, self.held, certificate),
            patience,
        )
        credentials.keep(self.folder, name, btcd.CERTIFICATE, self.driver.read(name, btcd.CERTIFICATE))
        data = Path(self.places.data(name))  # with its other data where they are files here, so that a copy has it
        ledger = (
            data if (data / btcd.CERTIFICATE).is_file() else credentials.place(self.folder, name, grip.LEDGER).parent
        )
        credentials.keep(self.folder, name, grip.LEDGER, str(ledger / "blocks.hex").encode())
        grip.btcd(address, self.held, self.folder).recall()

    def _cln(self, name: str, patience: Patience) -> None:
        from cartridge.lightning.nodes.cln_calls import Notes
        from cartridge.probes import cln

        place, bitcoind = Path(self.places.data(name)), self.driver.address("bitcoind", "rpc")
        pubkey = cln.ready(cln.ClnRpc(name, place), patience)
        notes = Notes(folder=place, bitcoind_host=bitcoind.host, bitcoind_port=bitcoind.port)
        credentials.keep(self.folder, name, grip.CLN_NOTES, notes.model_dump_json().encode())
        credentials.keep(self.folder, name, credentials.IDENTITY, pubkey.encode())

    def _eclair(self, name: str, patience: Patience) -> None:
        from cartridge.lightning.nodes.eclair_calls import Notes
        from cartridge.probes import eclair

        http, bitcoind = (
            grip.eclair_http(name, self.driver.address(name, "api"), self.held),
            self.driver.address("bitcoind", "rpc"),
        )
        pubkey = eclair.ready(http, self.places.reach(name, "p2p"), patience)
        notes = Notes(bitcoind_host=bitcoind.host, bitcoind_port=bitcoind.port)
        credentials.keep(self.folder, name, grip.ECLAIR_NOTES, notes.model_dump_json().encode())
        credentials.keep(self.folder, name, credentials.IDENTITY, pubkey.encode())
