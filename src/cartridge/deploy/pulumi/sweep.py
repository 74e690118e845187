"""Removes what Docker has of a stack, in parallel, at once and without a polite end: its data goes as well."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from cartridge.journal.recorder import Recorder
from cartridge.targets.docker.provisioner import Holding, Provisioner

THREADS = 16


def sweep(docker: Provisioner, holding: Holding, recorder: Recorder, removed: Callable[[str], None]) -> None:
    """Remove everything that is held.

    Args:
        docker: the Engine.
        holding: what to remove.
        recorder: the journal.
        removed: told of each that was there: `component/alice`, `volume/alice`, `network/default`; from any thread.

    Raises:
        ApplyError: `docker-refused`; the rest is removed nevertheless, but for the network.
        MissingError: `target-down`.
    """

    def remove(name: str, act: Callable[[], bool]) -> None:
        with recorder.step(f"remove/{name}", f"{name}: removing"):
            if act():
                removed(name)

    def component(name: str) -> None:
        if seen := holding.containers.get(name):
            remove(f"component/{name}", partial(docker.remove_container, seen.identity, politely=False))
        if volume := holding.volumes.get(name):
            remove(f"volume/{name}", partial(docker.remove_volume, volume))

    with ThreadPoolExecutor(THREADS, thread_name_prefix="sweep") as pool:
        for _ in pool.map(component, {*holding.containers, *holding.volumes}):
            pass
    for name in holding.networks:
        remove("network/default", partial(docker.remove_network, name))
