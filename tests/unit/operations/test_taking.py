"""Which networks cannot be copied, and what whoever asks is told to do instead."""

from __future__ import annotations

import pytest

from cartridge.errors import InputError
from cartridge.operations.copying.taking import refuse_unsupported
from cartridge.plan.state import ComponentRecord, State


def state(kind: str, target: str = "process") -> State:
    """Return a stack with one node of a kind."""
    record = ComponentRecord(kind, "", {}, node=True)
    return State(stack="s-1", name="s", target=target, created="", components={"alice": record})


@pytest.mark.parametrize(("kind", "target"), [("lnd", "process"), ("ldk", "process"), ("lnd", "docker")])
def test_what_can_be_copied_is_not_refused(kind: str, target: str) -> None:
    refuse_unsupported(state(kind, target))


@pytest.mark.parametrize(("kind", "says_docker"), [("cln", False), ("mine", True)])
def test_docker_is_only_named_where_the_implementation_may_run_there(kind: str, says_docker: bool) -> None:
    with pytest.raises(InputError) as refused:
        refuse_unsupported(state(kind))

    assert (refused.value.code, "docker" in refused.value.resolution) == ("snapshot-unsupported", says_docker)
