"""Short channel ids as numbers and as people write them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cartridge.lightning.nodes.scids import number_of, short_id


def test_a_short_id_is_block_transaction_and_output() -> None:
    assert (short_id(104 << 40 | 1 << 16), short_id(0)) == ("104x1x0", "")


@given(st.integers(1, (1 << 64) - 1))
def test_what_people_write_is_the_same_number(number: int) -> None:
    assert number_of(short_id(number)) == number
