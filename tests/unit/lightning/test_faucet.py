"""Who gets what from the faucet, asked over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest
import urllib3

from cartridge.errors import MissingError
from cartridge.lightning.faucet import Faucet, Given, Terms

TOKEN = "a-token-of-some-length"
BTC = 100_000_000_000


def give(to: str, amount: int) -> Given:
    if to == "carol":
        raise MissingError("there is no `carol`", code="component-unknown", resolution="it has `alice`")
    return Given(to, amount, "ab" * 32, 107)


@pytest.fixture
def url() -> Iterator[str]:
    faucet = Faucet(0, Terms(TOKEN, BTC, give))
    yield f"http://127.0.0.1:{faucet.port}/"
    faucet.close()


def ask(url: str, body: object, headers: Mapping[str, str] | None = None) -> tuple[int, object]:
    given = {"Authorization": f"Bearer {TOKEN}", **(headers or {})}
    with urllib3.PoolManager() as pool:
        answer = pool.request("POST", url, body=json.dumps(body), headers=given)
        return answer.status, json.loads(answer.data)


@pytest.mark.parametrize(("kind", "to"), [("node", "alice"), ("address", "bcrt1qalice")])
def test_whoever_holds_the_token_gets_coins(url: str, kind: str, to: str) -> None:
    answer = ask(url, {kind: to, "amount": "100_000 sat"})

    assert answer == (200, {"to": to, "amount": 100_000_000, "txid": "ab" * 32, "height": 107})


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        ({"node": "alice", "amount": "1 btc"}, {"Authorization": "Bearer another"}, 401, "faucet-token"),
        ({"node": "alice", "amount": "1 btc"}, {"Authorization": TOKEN}, 401, "faucet-token"),
        ({"node": "alice", "amount": "1 btc"}, {"Origin": "http://example.org"}, 403, "faucet-foreign"),
        ({"node": "alice", "amount": "1 btc"}, {"Host": "example.org:80"}, 403, "faucet-foreign"),
        ({"node": "alice", "amount": "2 btc"}, {}, 400, "faucet-most"),
        ({"node": "alice", "amount": "2"}, {}, 400, "amount-wrong"),
        ({"node": "alice", "address": "bcrt1q", "amount": "1 btc"}, {}, 400, "faucet-request"),
        ({"amount": "1 btc"}, {}, 400, "faucet-request"),
        ({"node": "alice", "amount": 5}, {}, 400, "faucet-request"),
        ({"node": "alice", "amount": "1 btc", "more": 1}, {}, 400, "faucet-request"),
        ({"node": "a" * 5_000, "amount": "1 btc"}, {}, 413, "faucet-request"),
        ({"node": "carol", "amount": "1 btc"}, {}, 400, "component-unknown"),
    ],
)
def test_every_refusal_says_why(url: str, body: object, headers: Mapping[str, str], status: int, code: str) -> None:
    answered, told = ask(url, body, headers)

    assert (answered, told["error"]["code"]) == (status, code)  # type: ignore[index]
    assert TOKEN not in json.dumps(told)
