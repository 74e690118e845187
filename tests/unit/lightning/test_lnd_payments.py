"""What the error of a failed payment says of lnd's attempts."""

from __future__ import annotations

from typing import cast

import pytest

from cartridge.lightning.nodes.lnd_payments import LndPayments
from cartridge.lightning.nodes.node import PaymentError
from cartridge.probes.lnd import LndRest

HOPS = [{"chan_id": str(103 << 40 | 1 << 16), "pub_key": "02" * 33}, {"chan_id": str(104 << 40), "pub_key": "03" * 33}]


class Answering:
    """An lnd that says the same to every payment."""

    name = "alice"

    def __init__(self, attempts: list[object]) -> None:
        self._attempts = attempts

    def last(self, path: str, order: object) -> object:
        """Return the last message of the stream."""
        del path, order
        return {
            "payment_hash": "ab",
            "value_msat": "1000",
            "fee_msat": "0",
            "status": "FAILED",
            "failure_reason": "FAILURE_REASON_NO_ROUTE",
            "htlcs": self._attempts,
        }


def attempt(code: str, source: int) -> object:
    """Return an attempt over two hops that a node of the way sent back."""
    return {"status": "FAILED", "route": {"hops": HOPS}, "failure": {"code": code, "failure_source_index": source}}


@pytest.mark.parametrize(
    ("attempts", "details"),
    [
        ([], ("it made no attempt: it knows no way of channels that hold enough",)),
        (
            [attempt("TEMPORARY_CHANNEL_FAILURE", 1), attempt("INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS", 2)],
            (
                "an attempt over 2 hops came back from `020202020202…`, which was to pass it on by channel 104x0x0: "
                "temporary channel failure",
                "an attempt over 2 hops came back from `030303030303…`, its destination: "
                "incorrect or unknown payment details",
            ),
        ),
        (
            [attempt("FEE_INSUFFICIENT", 0)],
            (
                "an attempt over 2 hops came back from the payer itself, which was to pass it on by channel 103x1x0: "
                "fee insufficient",
            ),
        ),
        ([attempt("UNREADABLE_FAILURE", 7)], ("an attempt over 2 hops came back without a reason",)),
    ],
)
def test_a_failed_payment_tells_how_far_each_attempt_came(attempts: list[object], details: tuple[str, ...]) -> None:
    lnd = LndPayments(cast("LndRest", Answering(attempts)))

    with pytest.raises(PaymentError) as failed:
        lnd.pay("lnbcrt1", fee_limit=0)

    assert (failed.value.brief, failed.value.details) == ("a payment from `alice` failed: no route", details)
