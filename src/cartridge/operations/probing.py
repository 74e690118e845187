"""Asks each component, by the probe its cartridge names, whether it is ready. One place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import assert_never

from cartridge.deploy.engine import Placement
from cartridge.model.cartridge import BitcoindProbe, ExitProbe, HttpProbe, LndProbe, LogProbe, TcpProbe
from cartridge.operations import grip
from cartridge.operations.context import Context
from cartridge.operations.readiness import Probe
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
    from cartridge.probes import bitcoind, exit, http, lnd, log, tcp  # noqa: A004

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
            case BitcoindProbe():
                bitcoind.ready(grip.rpc(driver.address(name, "rpc"), held), places.data(name), patience)
            case LndProbe():
                lnd.ready(grip.rest(name, driver.address(name, "rest"), folder), patience)
            case other:
                assert_never(other)

    return probe
