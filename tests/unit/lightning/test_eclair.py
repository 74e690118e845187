"""What eclair answers is understood. The answers have the shape it documents; no eclair was there to record them."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from cartridge.errors import ApplyError
from cartridge.lightning.nodes.eclair import Eclair
from cartridge.lightning.nodes.node import (
    Decoded,
    Edge,
    Invoice,
    InvoiceState,
    NodeChannel,
    NotYetError,
    Payment,
    PaymentError,
    Policy,
)
from cartridge.probes.bitcoind import BitcoindRpc, Credentials
from cartridge.probes.eclair import EclairHttp

ALICE, BOB, CAROL = (f"0{digit}" + digit * 64 for digit in "234")
CHANNEL, FUNDING = "ab" * 32, "cd" * 32
POINT = f"{FUNDING}:1"
PASSWORD = "a-word"
HASH = "11" * 32


def update(scid: str, *, first: bool, base: int = 1_000) -> dict[str, object]:
    """Return a policy as `allupdates` tells it."""
    return {
        "signature": "00",
        "shortChannelId": scid,
        "timestamp": {"iso": "2026-01-01T00:00:00Z", "unix": 1},
        "messageFlags": {"dontForward": False},
        "channelFlags": {"isEnabled": True, "isNode1": first},
        "cltvExpiryDelta": 144,
        "htlcMinimumMsat": 1,
        "feeBaseMsat": base,
        "feeProportionalMillionths": 7,
        "htlcMaximumMsat": 900_000_000,
        "tlvStream": {},
    }


def channel(kind: str = "DATA_NORMAL", state: str = "NORMAL", **more: object) -> dict[str, object]:
    """Return a channel of alice's as `channels` tells it."""
    confirmed = {"status": "confirmed", "shortChannelId": "103x1x1"}
    funding = {
        "fundingTxIndex": 0,
        "fundingInput": POINT,
        "fundingAmount": 1_000_000,
        "localFunding": confirmed if kind == "DATA_NORMAL" else {"status": "unconfirmed"},
        "remoteFunding": {"status": "locked"},
        "commitmentFormat": "anchor_outputs",
        "localCommit": {"index": 3, "spec": {"htlcs": [], "toLocal": 750_000_000, "toRemote": 250_000_000}},
    }
    params = {
        "channelId": CHANNEL,
        "channelFeatures": [],
        "localParams": {"nodeId": ALICE, "initialRequestedChannelReserve_opt": 10_000, "isChannelOpener": False},
        "remoteParams": {"nodeId": BOB, "initialRequestedChannelReserve_opt": 20_000},
        "channelFlags": {"nonInitiatorPaysCommitFees": False, "announceChannel": True},
    }
    data = {"type": kind, "commitments": {"channelParams": params, "active": [funding], "inactive": []}, **more}
    return {"nodeId": BOB, "channelId": CHANNEL, "state": state, "data": data}


def part(kind: str, amount: int = 5_000, **status: object) -> dict[str, object]:
    """Return a part of a payment as `getsentinfo` tells it."""
    return {
        "id": "i",
        "parentId": "p",
        "paymentHash": HASH,
        "paymentType": "Standard",
        "amount": amount,
        "recipientAmount": 5_000,
        "recipientNodeId": BOB,
        "createdAt": {"iso": "2026-01-01T00:00:00.1Z", "unix": 1},
        "status": {"type": kind, **status},
    }


INVOICE = {"prefix": "lnbcrt", "nodeId": BOB, "serialized": "lnbcrt1x", "paymentHash": HASH, "amount": 5_000}
HOP = {"nodeId": ALICE, "nextNodeId": BOB, "shortChannelId": "103x1x1"}


class Spoken:
    """Something that answers as eclair or as bitcoind; `heard` are the forms it was sent, by command.

    Attributes:
        answers: by command or method; a list is answered one after the other, the last for ever.
        heard: commands with their fields, oldest first.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.heard: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
                status, answer = outer.answer(self.path, body, self.headers.get("Authorization", ""))
                raw = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def answer(self, path: str, body: str, authorization: str) -> tuple[int, object]:
        """Return status and body of an answer."""
        if body.startswith("{"):
            return 200, {"result": self._next(json.loads(body)["method"])}
        if authorization != f"Basic {base64.b64encode(f':{PASSWORD}'.encode()).decode()}":
            return 401, "The supplied authentication is invalid"
        command = path.removeprefix("/")
        self.heard.append((command, {name: value[0] for name, value in parse_qs(body).items()}))
        found = self._next(command)
        return found if isinstance(found, tuple) else (200, found)

    def _next(self, command: str) -> Any:
        found = self.answers[command]
        if isinstance(found, Later):
            return found.pop(0) if len(found) > 1 else found[0]
        return found


class Later(list[Any]):
    """Answers one after the other."""


@pytest.fixture
def spoken() -> Iterator[Spoken]:
    """Something that answers until the test ends."""
    made = Spoken()
    made.answers = {"listlabels": [], "getinfo": {"nodeId": ALICE, "alias": "alice", "blockHeight": 110}}
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def alice(spoken: Spoken) -> Eclair:
    """The node that is asked."""
    port = spoken.server.server_port
    return Eclair(
        EclairHttp("alice", "127.0.0.1", port, PASSWORD), BitcoindRpc("127.0.0.1", port, Credentials("u", "p"))
    )


def test_an_open_channel_is_read_whole(spoken: Spoken, alice: Eclair) -> None:
    spoken.answers["channels"] = [channel()]

    assert alice.channels() == (
        NodeChannel(
            point=POINT,
            peer=BOB,
            capacity=1_000_000,
            local=750_000,
            remote=250_000,
            local_reserve=20_000,
            remote_reserve=10_000,
            initiator=False,
            private=False,
            pending=False,
            confirmations_missing=0,
            active=True,
            scid=103 << 40 | 1 << 16 | 1,
        ),
    )


@pytest.mark.parametrize(
    ("kind", "state", "seen"),
    [
        ("DATA_WAIT_FOR_FUNDING_CONFIRMED", "WAIT_FOR_FUNDING_CONFIRMED", (True, False, 4, 0)),
        ("DATA_WAIT_FOR_CHANNEL_READY", "OFFLINE", (True, False, 4, 0)),
        ("DATA_NORMAL", "OFFLINE", (False, False, 0, 103 << 40 | 1 << 16 | 1)),
    ],
)
def test_a_channel_is_pending_until_it_is_normal_and_active_while_the_peer_is_there(
    spoken: Spoken, alice: Eclair, kind: str, state: str, seen: tuple[object, ...]
) -> None:
    spoken.answers |= {"channels": [channel(kind, state)], "gettxout": {"confirmations": 2}}

    (one,) = alice.channels()

    assert (one.pending, one.active, one.confirmations_missing, one.scid) == seen


def test_what_closes_or_never_got_a_funding_is_no_channel(spoken: Spoken, alice: Eclair) -> None:
    begun = {
        "nodeId": BOB,
        "channelId": CHANNEL,
        "state": "WAIT_FOR_ACCEPT_CHANNEL",
        "data": {"type": "DATA_WAIT_FOR_ACCEPT_CHANNEL"},
    }
    spoken.answers["channels"] = [channel("DATA_CLOSING", "CLOSING"), begun]

    assert alice.channels() == ()


def test_the_graph_has_both_policies_where_both_were_announced(spoken: Spoken, alice: Eclair) -> None:
    spoken.answers |= {
        "allchannels": [{"shortChannelId": "103x1x0", "a": CAROL, "b": BOB}],
        "allupdates": [update("103x1x0", first=True, base=5), update("103x1x0", first=False, base=6)],
        "channels": [channel(channelUpdate=update("103x1x1", first=True))],
        "getblockhash": "b" * 64,
        "getblock": {"tx": ["aa" * 32, "bb" * 32]},
    }

    def policy(base: int) -> Policy:
        return Policy(base, 7, 144, 1, 900_000_000)

    assert alice.edges() == (
        Edge(f"{'bb' * 32}:0", (BOB, CAROL), (policy(5), policy(6))),
        Edge(POINT, (ALICE, BOB), (policy(1_000), None)),
    )


def test_an_invoice_is_made_read_and_asked_after(spoken: Spoken, alice: Eclair) -> None:
    spoken.answers |= {"channels": [], "createinvoice": INVOICE, "parseinvoice": INVOICE}
    made, read = alice.invoice(5_000, "tea"), alice.decode("lnbcrt1x")
    states = []
    for kind in ("pending", "received", "expired"):
        spoken.answers["getreceivedinfo"] = {"invoice": INVOICE, "status": {"type": kind}}
        states.append(alice.invoice_state(HASH))
    spoken.answers["getreceivedinfo"] = (404, {"error": "Not found"})
    with pytest.raises(ApplyError) as unknown:
        alice.invoice_state(HASH)

    assert (made, read) == (Invoice("lnbcrt1x", HASH), Decoded(BOB, 5_000, HASH))
    assert states == [InvoiceState.OPEN, InvoiceState.SETTLED, InvoiceState.CANCELED]
    assert unknown.value.code == "eclair-refused"
    assert ("createinvoice", {"description": "tea", "amountMsat": "5000"}) in spoken.heard


def test_a_payment_goes_over_the_channel_it_must_and_ends_when_nothing_is_under_way(
    spoken: Spoken, alice: Eclair
) -> None:
    spoken.answers |= {
        "parseinvoice": INVOICE,
        "channels": [channel()],
        "findroutetonode": {"routes": [{"amount": 5_000, "shortChannelIds": ["99x1x1"]}]},
        "sendtoroute": {"paymentId": "i", "parentId": "p"},
        "getsentinfo": Later([[], [part("pending")], [part("sent", feesPaid=3, route=[HOP])]]),
    }

    paid = alice.pay("lnbcrt1x", fee_limit=9, through=99 << 40 | 1 << 16 | 1)

    assert paid == Payment(HASH, 5_000, 3, 1, 1)
    said = dict(spoken.heard)
    assert said["findroutetonode"] == {
        "nodeId": BOB,
        "amountMsat": "5000",
        "maxFeeMsat": "9",
        "format": "shortChannelId",
        "ignoreShortChannelIds": "103x1x1",
    }
    assert said["sendtoroute"]["shortChannelIds"] == "99x1x1"


def test_a_payment_in_parts_adds_them_up_and_one_that_failed_says_why(spoken: Spoken, alice: Eclair) -> None:
    parts = [part("sent", 2_000, feesPaid=1, route=[HOP]), part("failed"), part("sent", 3_000, feesPaid=2, route=[HOP])]
    spoken.answers |= {"parseinvoice": INVOICE, "payinvoice": "p", "getsentinfo": parts}
    paid = alice.pay("lnbcrt1x", fee_limit=9_000, parts=8)
    failure = {"failureType": "REMOTE", "failureMessage": "TemporaryChannelFailure", "failedRoute": []}
    spoken.answers |= {"sendtonode": "q", "getsentinfo": [part("failed", failures=[failure])]}
    with pytest.raises(PaymentError) as failed:
        alice.keysend(BOB, 5_000, fee_limit=0)

    assert paid == Payment(HASH, 5_000, 3, 1, 2)
    assert (failed.value.code, failed.value.reason) == ("payment-failed", "TemporaryChannelFailure")


def test_fees_are_set_by_peer_and_what_it_cannot_set_is_refused_by_its_name(spoken: Spoken, alice: Eclair) -> None:
    spoken.answers |= {
        "channels": [channel(channelUpdate=update("103x1x1", first=True))],
        "updaterelayfee": {CHANNEL: "ok"},
    }

    alice.set_policy(POINT, Policy(3, 4, 144, 1, 900_000_000))
    with pytest.raises(ApplyError) as refused:
        alice.set_policy(POINT, Policy(3, 4, 40, 1, 900_000_000))

    assert ("updaterelayfee", {"nodeId": BOB, "feeBaseMsat": "3", "feeProportionalMillionths": "4"}) in spoken.heard
    assert refused.value.code == "not-supported"


@pytest.mark.parametrize(
    ("force", "command", "closing"),
    [
        (False, "close", {"mutualClosePublished": [{"txid": "ee" * 32, "tx": "00"}]}),
        (False, "close", {"publishedClosingTxs": [{"txid": "ee" * 32, "tx": "00"}]}),
        (True, "forceclose", {"localCommitPublished": {"commitTx": {"txid": "ee" * 32, "tx": "00"}}}),
    ],
)
def test_a_close_returns_the_transaction_that_was_published(
    spoken: Spoken, alice: Eclair, force: bool, command: str, closing: dict[str, object]
) -> None:
    spoken.answers |= {
        "channels": [channel()],
        command: {CHANNEL: f"closed channel {CHANNEL}"},
        "channel": Later([channel("DATA_SHUTDOWN", "SHUTDOWN"), channel("DATA_CLOSING", "CLOSING", **closing)]),
        "getmempoolentry": {},
    }

    assert alice.close(POINT, force=force) == "ee" * 32


def test_refusals_in_words_are_refusals(spoken: Spoken, alice: Eclair) -> None:
    spoken.answers |= {"connect": "connection failed to 127.0.0.1:1", "channels": [channel()], "close": {CHANNEL: "no"}}

    with pytest.raises(NotYetError) as not_yet:
        alice.connect(BOB, "127.0.0.1:1")
    with pytest.raises(ApplyError) as refused:
        alice.close(POINT)
    with pytest.raises(ApplyError) as hold:
        alice.hold_invoice(1, HASH)

    assert [one.value.code for one in (not_yet, refused, hold)] == ["eclair-not-yet", "eclair-refused", "not-supported"]


def test_peers_are_those_that_are_connected(spoken: Spoken, alice: Eclair) -> None:
    spoken.answers |= {
        "peers": [{"nodeId": BOB, "state": "CONNECTED", "channels": 1}, {"nodeId": CAROL, "state": "DISCONNECTED"}],
        "connect": "already connected",
    }
    alice.connect(BOB, "127.0.0.1:9735")

    assert alice.peers() == {BOB}
    assert ("connect", {"nodeId": BOB, "host": "127.0.0.1", "port": "9735"}) in spoken.heard


def test_who_does_not_take_the_password_or_announces_another_address_is_a_stranger(spoken: Spoken) -> None:
    port = spoken.server.server_port
    spoken.answers["getinfo"] = {
        "nodeId": ALICE,
        "alias": "alice",
        "blockHeight": 1,
        "network": "regtest",
        "publicAddresses": ["127.0.0.1:9731"],
    }

    with pytest.raises(ApplyError) as stranger:
        EclairHttp("alice", "127.0.0.1", port, "another").ask("getinfo")
    with pytest.raises(ApplyError) as other:
        EclairHttp("alice", "127.0.0.1", port, PASSWORD).identify("127.0.0.1:9732")

    assert (stranger.value.code, other.value.code) == ("eclair-foreign", "eclair-foreign")
    assert EclairHttp("alice", "127.0.0.1", port, PASSWORD).identify("127.0.0.1:9731") == ALICE
    assert "another" not in str(stranger.value)
