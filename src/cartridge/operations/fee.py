"""`fee`: what nodes are told that fees are. They ask the stack's keeper, so what they build from now on pays that."""

from __future__ import annotations

from cartridge.errors import InputError
from cartridge.operations.access import keeper
from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen
from cartridge.operations.results.networks import FeeResult

MOST = 10_000
"""Satoshis per virtual byte."""


def fee(context: Context, *, rate: int) -> FeeResult:
    """Have the keeper say that fees are `rate` satoshis per virtual byte, for every target.

    Raises:
        InputError: `fee-rate-wrong`; `fee-unheard`, no node asks the keeper.
        MissingError: no such stack; `keeper-missing`.
        UnknownVerdictError: `keeper-unreachable`.
    """
    if not 1 <= rate <= MOST:
        raise InputError(
            f"`{rate}` sat/vB is no fee rate", code="fee-rate-wrong", resolution=f"give 1 to {MOST:,} sat/vB"
        )
    state = chosen(context)
    found = keeper.needed(context, state)
    nodes = [one for one in context.resolved().components if one.node]
    told = tuple(one.name for one in nodes if one.settings.get("fee_source") == "keeper")
    if not told:
        raise InputError(
            f"no node of `{state.name}` asks the keeper what fees are",
            code="fee-unheard",
            resolution="write `bindings: {fee_source: keeper}` to the nodes' cartridge and run `cartridge up`",
        )
    with context.recorder.step("fee", f"saying that fees are {rate} sat/vB"):
        now = found.say_fee(rate)
    untold = tuple(one.name for one in nodes if one.name not in told)
    return FeeResult(stack=state.stack, fee_rate=now.fee_rate, told=told, untold=untold)
