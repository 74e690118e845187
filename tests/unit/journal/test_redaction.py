"""What looks like a secret is hidden; what merely looks long is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartridge.journal.redaction import HIDDEN, redact

MACAROON = "0201036c6e6402f801030a10" + "ab" * 100
SEED = " ".join(["abandon", "ability", "able"] + ["about"] * 21)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f"Grpc-Metadata-Macaroon: {MACAROON}", f"Grpc-Metadata-Macaroon: {HIDDEN}"),
        ("lndconnect://127.0.0.1:1?cert=MIIB&macaroon=AgEDbG5kAvgBAwoQ_-x", f"lndconnect://127.0.0.1:1?cert=MIIB&macaroon={HIDDEN}"),
        ("Authorization: Bearer abc.def-ghi", f"Authorization: Bearer {HIDDEN}"),
        ("Authorization: Basic dXNlcjpwYXNz", f"Authorization: Basic {HIDDEN}"),
        ("http://user:pa55w0rd@127.0.0.1:18443/", f"http://user:{HIDDEN}@127.0.0.1:18443/"),
        ("-rpcpassword=hunter2", f"-rpcpassword={HIDDEN}"),
        ("bitcoind.rpcpass: x, rpcpassword: 'hunter2'", f"bitcoind.rpcpass: x, rpcpassword: '{HIDDEN}'"),
        ('{"wallet_password": "hunter2"}', f'{{"wallet_password": "{HIDDEN}"}}'),
        ("PULUMI_CONFIG_PASSPHRASE=correct-horse", f"PULUMI_CONFIG_PASSPHRASE={HIDDEN}"),
        ("rpcauth=me:4b7c$9f", f"rpcauth={HIDDEN}"),
        (f"seed is {SEED.replace('able ', 'able above ', 1).rsplit(' ', 1)[0]}", f"seed is {HIDDEN}"),
        ("tprv8ZgxMBicQKsPd" + "9" * 94, HIDDEN),
        ("-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----", HIDDEN),
    ],
)  # fmt: skip
def test_a_secret_is_hidden(text: str, hidden: str) -> None:
    assert redact(text) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "transaction " + "ab" * 32,
        "node 02" + "cd" * 32 + "@127.0.0.1:9735",
        "sha512 " + "ef" * 64,
        "macaroon: /home/me/.cartridge/alice/admin.macaroon",
        "macaroon=%3Chidden%3B%20--reveal%20shows%20it%3E",
        "http://cartridge:***@127.0.0.1:18443",
        "the password is wrong",
        "rpcpassword=<hidden; --reveal shows it>",
        "https://github.com/bitcoin-core/guix.sigs",
        "alice: waiting for the wallet to be opened by lnd, which derives a key with scrypt and takes time",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=400))
def test_hiding_twice_hides_no_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "unit", ["x", "fg", "ab:", "http://", "x://a:", "token", "word 1 ", "-----BEGIN PRIVATE KEY-----"], ids=str.strip
)
@pytest.mark.timeout(60)  # where time grows with the square of the length, it is minutes
def test_a_long_text_takes_no_longer_than_its_length(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))

    assert redact(text) == text
