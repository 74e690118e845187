"""What the verbs answer that work on a network: frozen, printed as they are by `-o json`. Amounts in millisatoshis."""

from __future__ import annotations

from msgspec import Struct


class MineResult(Struct, frozen=True):
    """Blocks mined: the new height and their hashes, oldest first; `absent` are nodes that did not answer."""

    height: int
    blocks: tuple[str, ...]
    absent: tuple[str, ...] = ()


class FundResult(Struct, frozen=True):
    """An on-chain payment, confirmed at `height`: to a node, which then holds `balance`, or to an address."""

    node: str
    amount: int
    txid: str
    height: int
    balance: int
    address: str = ""


class PayResult(Struct, frozen=True):
    """A Lightning payment.

    Attributes:
        payer: the node that paid.
        payee: the node that was paid; its public key where it is none of the stack.
        amount: without the fee.
        fee: what the way cost.
        payment_hash: in hex.
        hops: of its longest part; null where the node does not tell the way.
        seconds: from the request to the preimage, or to the way back.
        parts: shards it was split into.
        kind: `invoice`, `keysend` or `hold`.
        state: `settled`, or `canceled` where a held payment was sent back.
    """

    payer: str
    payee: str
    amount: int
    fee: int
    payment_hash: str
    hops: int | None
    seconds: float
    parts: int = 1
    kind: str = "invoice"
    state: str = "settled"


class InvoiceResult(Struct, frozen=True):
    """An invoice, its text and how far it has come: `open`, `accepted`, `settled` or `canceled`."""

    node: str
    amount: int
    request: str
    payment_hash: str
    state: str
    memo: str = ""
    hold: bool = False


class PolicyView(Struct, frozen=True):
    """What one end of a channel asks for forwarding; `fee_rate` in parts per million."""

    node: str
    base_fee: int
    fee_rate: int
    time_lock_delta: int
    min_htlc: int
    max_htlc: int


class ChannelView(Struct, frozen=True):
    """A channel.

    Attributes:
        name: as in the documents, such as `alice-bob-0`; "" where it was opened by hand.
        opener: the node that funded it.
        acceptor: the node at the other end; its public key where it is none of the stack.
        state: `active`, `inactive` or `pending`; one that is being closed is `waiting-close` until that is in a block,
            then `closing`, or `force-closing` where one end did it alone.
        capacity: of the channel.
        local: what the opener could spend.
        remote: what the acceptor could spend.
        point: its funding output, `txid:index`.
        scid: short id, such as `104x1x0`; "" while it pends, an alias while it is used and not confirmed.
        private: it is not announced.
        policies: of the ends, as far as they are known.
        zero_conf: it was used before it was confirmed.
        unconfirmed: it is used, and its funding is in no block that counts.
        type: of its commitments, such as `anchors`; "" where the node does not tell.
        aliases: other short ids by which it is known.
        closing_txid: of what closes it; "" where it is not being closed, or its nodes do not tell.
        blocks_left: until both ends can spend what they get, where it is being closed and they tell; else 0.
    """

    name: str
    opener: str
    acceptor: str
    state: str
    capacity: int
    local: int
    remote: int
    point: str
    scid: str
    private: bool
    policies: tuple[PolicyView, ...] = ()
    zero_conf: bool = False
    unconfirmed: bool = False
    type: str = ""
    aliases: tuple[str, ...] = ()
    closing_txid: str = ""
    blocks_left: int = 0


class ChannelsResult(Struct, frozen=True):
    """Every channel of a stack, as their openers see them; `absent` are nodes that did not answer.

    Those that are being closed stand last.
    """

    stack: str
    channels: tuple[ChannelView, ...]
    absent: tuple[str, ...] = ()


class ChannelOpenResult(Struct, frozen=True):
    """A channel that was opened by hand and is active; `blocks` were mined for it, none where it needs none."""

    channel: ChannelView
    blocks: int


class ChannelCloseResult(Struct, frozen=True):
    """A channel that was closed and is gone at both ends.

    Attributes:
        channel: as it was before.
        txid: of what closed it.
        forced: one end did it alone.
        blocks: mined for it.
        blocks_left: until both ends can spend what they got, as far as they tell.
    """

    channel: ChannelView
    txid: str
    forced: bool
    blocks: int
    blocks_left: int = 0


class ReorgResult(Struct, frozen=True):
    """A reorganisation.

    Attributes:
        depth: blocks that were replaced.
        height: of the new tip.
        replaced: hashes of the blocks that are no longer in the chain, oldest first.
        blocks: hashes of those in their place, and of the one more that makes them win.
        returned: transactions that were in the replaced blocks and went back to the mempool.
        waiting: those of them that still wait there.
        lost: those of them that cannot be, such as what spent a replaced block's reward; the rest is confirmed again.
        shallow: channels whose funding went back, by name or point.
    """

    depth: int
    height: int
    replaced: tuple[str, ...]
    blocks: tuple[str, ...]
    returned: tuple[str, ...]
    waiting: tuple[str, ...]
    lost: tuple[str, ...] = ()
    shallow: tuple[str, ...] = ()


class MiningResult(Struct, frozen=True):
    """How the blocks of a stack are made, and what fees are said to be.

    Attributes:
        stack: the stack's id.
        mining: `on-demand`, `interval`, `poisson` or `on-transaction`.
        interval: milliseconds between two blocks; for `poisson` the mean.
        seed: of the times of `poisson`.
        fee_rate: satoshis per virtual byte.
        mined: blocks its keeper has made since it started.
        failure: why the last one could not be made; "" where it could.
    """

    stack: str
    mining: str
    interval: int
    seed: int
    fee_rate: int
    mined: int
    failure: str = ""


class FeeResult(Struct, frozen=True):
    """What fees are said to be (satoshis per virtual byte), the nodes that ask for it, and those that do not."""

    stack: str
    fee_rate: int
    told: tuple[str, ...]
    untold: tuple[str, ...] = ()


class FaucetResult(Struct, frozen=True):
    """A faucet that serves: where, the file that holds its token, and the most a request may ask for."""

    stack: str
    url: str
    token_file: str
    most: int
