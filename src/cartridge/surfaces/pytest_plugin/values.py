"""What goes in and out of a test's network: amounts, and frozen answers whose fields name their units."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ParamSpec, TypeAlias, TypeVar

from msgspec import Struct

from cartridge.errors import CartridgeError, InputError
from cartridge.model.units import parse_amount

Amount: TypeAlias = int | str
"""Satoshis, or text with a unit: `"1000 sat"`, `"1 msat"`, `"0.1 btc"`."""
SATOSHI = 1_000
"""Millisatoshis in a satoshi."""

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Payment(Struct, frozen=True):
    """A Lightning payment that was settled; `hops` of its longest part, of which there are `parts`.

    `hops` is None where the payer does not tell the way.
    """

    payment_hash: str
    amount_msat: int
    fee_msat: int
    hops: int | None
    parts: int


class Balance(Struct, frozen=True):
    """What a node has, in satoshis: confirmed coins, and its side and the other side of its channels."""

    onchain: int
    local: int
    remote: int


@dataclass(frozen=True, slots=True)
class Connection:
    """How a client reaches a component. URIs and environment hold its passwords, so they are no part of its text.

    Attributes:
        environment: variables to give to a client.
        uris: by kind, such as `lndconnect`, `p2p` or `rpc`.
        files: paths by kind, such as `tls_cert` and `admin_macaroon`.
    """

    environment: Mapping[str, str] = field(repr=False)
    uris: Mapping[str, str] = field(repr=False)
    files: Mapping[str, str]


def millisatoshis(amount: Amount) -> int:
    """Return an amount in millisatoshis.

    Raises:
        InputError: `amount-wrong`.
    """
    if isinstance(amount, bool) or not isinstance(amount, int | str):
        raise InputError(
            f"`{amount!r}` is no amount", code="amount-wrong", resolution="give satoshis, or text such as `1000 sat`"
        )
    if isinstance(amount, int):
        return amount * SATOSHI
    try:
        return parse_amount(amount)
    except ValueError as error:
        brief, _, resolution = str(error).partition("; ")
        raise InputError(brief, code="amount-wrong", resolution=resolution) from error


def plainly(method: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Have a failure of ours point at the line of the test, not at how we came to it."""

    @functools.wraps(method)
    def called(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        __tracebackhide__ = True
        try:
            return method(*args, **kwargs)
        except CartridgeError as error:
            raise error.with_traceback(None) from None

    return called
