"""Removes what Docker has of a stack, in parallel, at once and without a polite end: its data goes as well."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from cartridge.journal.recorder import Recorder
from cartridge.targets.docker.provisioner import Holding, Provisioner

THREADS = 16
Act = tuple[str, Callable[[], bool]]


def sweep(docker: Provisioner, holding: Holding, recorder: Recorder) -> tuple[str, ...]:
    """Remove everything that is held and return what was there: `container/alice`, `volume/alice`, `network/default`.

    Raises:
        ApplyError: `docker-refused`.
        MissingError: `target-down`.
    """

    def remove(act: Act) -> str:
        name, carry_out = act
        with recorder.step(f"remove/{name}", f"{name}: removing"):
            return name if carry_out() else ""

    with ThreadPoolExecutor(THREADS, thread_name_prefix="sweep") as pool:
        ended = [
            name for acts in (_containers(docker, holding), _rest(docker, holding)) for name in pool.map(remove, acts)
        ]
    return tuple(sorted(filter(None, ended)))


def _containers(docker: Provisioner, holding: Holding) -> list[Act]:
    return [
        (f"container/{component}", partial(docker.remove_container, seen.identity, politely=False))
        for component, seen in holding.containers.items()
    ]


def _rest(docker: Provisioner, holding: Holding) -> list[Act]:
    volumes = [
        (f"volume/{component}", partial(docker.remove_volume, name)) for component, name in holding.volumes.items()
    ]
    networks = [("network/default", partial(docker.remove_network, name)) for name in holding.networks]
    return [*volumes, *networks]
