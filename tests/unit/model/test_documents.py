"""Models are strict, frozen, and know their quantities."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from cartridge.model import artifact, cartridge, document, network, stack
from cartridge.model.network import Channel
from cartridge.model.units import Share


def models() -> list[type[BaseModel]]:
    return [
        value
        for module in (artifact, cartridge, document, network, stack)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == module.__name__
    ]


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_mapping_is_frozen_strict_and_knows_no_other_keys(model: type[BaseModel]) -> None:
    config = model.model_config

    assert (config.get("frozen"), config.get("strict"), config.get("extra")) == (True, True, "forbid")


def test_a_channel_holds_base_units_and_tells_a_share_from_an_amount() -> None:
    shared = Channel.model_validate({"from": "a", "to": "b", "capacity": "1 btc", "push": "50%"})
    pushed = Channel.model_validate({"from": "a", "to": "b", "capacity": "1 btc", "push": "500 sat"})

    assert shared.capacity == 100_000_000_000
    assert (type(shared.push), shared.push) == (Share, 500_000)
    assert (type(pushed.push), pushed.push) == (int, 500_000)


def test_nothing_is_converted_from_one_type_to_another() -> None:
    with pytest.raises(ValidationError) as caught:
        Channel.model_validate({"from": "a", "to": 1, "capacity": 5, "private": "true"})

    assert [error["loc"] for error in caught.value.errors()] == [("to",), ("capacity",), ("private",)]
