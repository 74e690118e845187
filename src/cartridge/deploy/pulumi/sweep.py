"""Removes what Docker has of a stack, in parallel, at once and without a polite end: its data goes as well."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from cartridge.journal.recorder import Recorder
from cartridge.targets.docker.provisioner import Holding, Provisioner

THREADS = 16


def sweep(docker: Provisioner, holding: Holding, recorder: Recorder) -> tuple[str, ...]:
    """Remove everything that is held and return what was there: `component/alice`, `volume/alice`, `network/default`.

    Raises:
        ApplyError: `docker-refused`.
        MissingError: `target-down`.
    """

    def remove(name: str, act: Callable[[], bool]) -> str:
        with recorder.step(f"remove/{name}", f"{name}: removing"):
            return name if act() else ""

    def component(name: str) -> list[str]:
        seen, volume = holding.containers.get(name), holding.volumes.get(name)
        return [
            remove(f"component/{name}", partial(docker.remove_container, seen.identity, politely=False))
            if seen
            else "",
            remove(f"volume/{name}", partial(docker.remove_volume, volume)) if volume else "",
        ]

    with ThreadPoolExecutor(THREADS, thread_name_prefix="sweep") as pool:
        ended = [name for both in pool.map(component, {*holding.containers, *holding.volumes}) for name in both]
    ended += [remove("network/default", partial(docker.remove_network, name)) for name in holding.networks]
    return tuple(sorted(filter(None, ended)))
