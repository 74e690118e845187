"""Operations that know a small made-up world by heart: two nodes, a chain, one stack.

`FakeVerbs()` answers every verb as the real ones do when all is well; the attributes say what is different:

    FakeVerbs(failing=MissingError("…"))     every operation raises
    FakeVerbs(up_again=True)                 `up` finds nothing to do
    FakeVerbs(empty=True)                    nothing is up, nothing is left behind
    FakeVerbs(drifted=True)                  lock, plan, verify and doctor find something
    FakeVerbs(findings=(…))                  what `check` finds

It keeps what it was asked in `asked`. Time stands still in it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cartridge.errors import CartridgeError, Finding, InputError, MissingError
from cartridge.journal.recorder import Listener, Recorder
from cartridge.operations.access.context import Context, Options
from cartridge.operations.access.stages import Stages
from cartridge.operations.channels import Wanted
from cartridge.operations.imports import Order
from cartridge.operations.pay import Manner
from cartridge.operations.results.copies import ForkResult, RestoreResult, SnapshotResult, SnapshotView
from cartridge.operations.results.networks import (
    ChannelCloseResult,
    ChannelOpenResult,
    ChannelsResult,
    ChannelView,
    FaucetResult,
    FeeResult,
    FundResult,
    InvoiceResult,
    MineResult,
    MiningResult,
    PayResult,
    PolicyView,
    ReorgResult,
)
from cartridge.operations.results.reports import (
    CheckResult,
    ConnectResult,
    DoctorLine,
    DoctorResult,
    GcResult,
    LockLine,
    LockResult,
    Orphan,
    PlanResult,
    RenderedFileView,
    RenderResult,
    ShowResult,
    VerifyLine,
    VerifyResult,
)
from cartridge.operations.results.stacks import (
    ComponentView,
    DownResult,
    PortView,
    PsResult,
    StackView,
    Stage,
    UpResult,
)
from cartridge.operations.results.topologies import DrawnChannel, DrawnNode, ExportResult, GraphResult, ImportResult
from cartridge.plan.change import Change, ChangeKind
from cartridge.surfaces.cli.verbs import Condition, SnapshotAction, Verbs
from cartridge.workspace import settings
from cartridge.workspace.project import Project
from tests.doubles.clock import FakeClock

STACK = "lightning-pair-3f9a2c"

ALICE = ComponentView(
    "alice",
    "lnd",
    "ready",
    identity="4711",
    started="2030-01-01T00:00:00+00:00",
    ports=(PortView("p2p", "127.0.0.1:9735"), PortView("grpc", "127.0.0.1:10009")),
)
BOB = ComponentView("bob", "lnd", "ready", identity="4712", ports=(PortView("p2p", "127.0.0.1:9736"),))
CHAIN = ComponentView("chain", "bitcoind", "ready", identity="4710", ports=(PortView("rpc", "127.0.0.1:18443"),))
FAILED = ComponentView(
    "bob", "lnd", "failed", restarts=2, exit_status=1, note="unable to open wallet: invalid passphrase"
)
ASKED = SnapshotView(
    "9c1d6a2b8e4f7035",
    "before-upgrade",
    "lightning-pair",
    "process",
    "asked",
    "2030-01-01T00:00:00+00:00",
    109,
    1_700_000,
)
READY = SnapshotView(
    "41624f21fa091447", "", "lightning-pair", "process", "ready", "2029-12-31T23:00:00+00:00", 109, 1_500_000
)
HIDDEN = "<hidden; --reveal shows it>"


WRITTEN = ChannelView(
    name="alice-bob-0",
    opener="alice",
    acceptor="bob",
    state="active",
    capacity=10_000_000_000,
    local=7_500_000_000,
    remote=2_496_530_000,
    point=f"{'ab' * 32}:0",
    scid="104x1x0",
    private=False,
    policies=(PolicyView("alice", 1_000, 1, 80, 1, 10**10), PolicyView("bob", 0, 250, 80, 1, 10**10)),
)
CLOSING = ChannelView(
    name="alice-bob-1",
    opener="alice",
    acceptor="bob",
    state="force-closing",
    capacity=10**9,
    local=500_000_000,
    remote=496_530_000,
    point=f"{'ef' * 32}:0",
    scid="",
    private=False,
    closing_txid="ee" * 32,
    blocks_left=141,
)
BY_HAND = ChannelView("", "alice", "03" * 33, "inactive", 10**9, 0, 996_530_000, f"{'cd' * 32}:1", "", private=True)


@dataclass
class FakeVerbs(Verbs):
    """See the module."""

    failing: BaseException | None = None
    up_again: bool = False
    empty: bool = False
    drifted: bool = False
    findings: tuple[Finding, ...] = ()
    stacks: tuple[str, ...] = (STACK,)
    asked: list[tuple[str, object]] = field(default_factory=list)

    def open(self, options: Options, verb: str, listeners: tuple[Listener, ...]) -> Context:
        """Return a real context whose time stands still and whose journal is only listened to."""
        clock, nowhere = FakeClock(), Path("/nowhere")
        self.asked.append(("open", options))
        project = Project(nowhere, nowhere / ".cartridge", nowhere)
        return Context(
            options=options,
            settings=settings.read({}),
            clock=clock,
            recorder=Recorder(clock, None, listeners),
            cancelled=threading.Event(),
            project=project,
            verb=verb,
            stages=Stages(),
        )

    def up(self, context: Context, *, refresh: bool, fresh: bool) -> UpResult:
        """Take four steps, of which the clock makes one last 1.5 s."""
        self._ask("up", (refresh, fresh))
        hints = ("cartridge pay alice bob 1000 sat", "cartridge connect alice", "cartridge down")
        components = (CHAIN, ALICE, BOB)
        if self.up_again:
            keep = tuple(Change(ChangeKind.KEEP, f"component/{one.name}", "nothing changed") for one in components)
            return UpResult(STACK, "process", False, keep, components, hints=hints)
        recorder = context.recorder
        with recorder.step("artifacts", "programs") as step:
            step.skip("all in the store")
        with recorder.step("start/chain", "chain: starting"):
            context.clock.wait(0.3)
        with recorder.step("start/alice", "alice: starting"):
            recorder.progress("start/alice", note="waiting for the wallet")
            context.clock.wait(1.5)
        recorder.note("port 9735 was taken, so alice listens on 9745", "warning")
        with recorder.step("network/open", "channels: opening"):
            recorder.progress("network/open", 1, 1, "channels")
            context.clock.wait(0.01)
        create = tuple(Change(ChangeKind.CREATE, f"component/{one.name}", "it does not exist") for one in components)
        stages = (Stage("start/chain", 0.3), Stage("start/alice", 1.5))
        return UpResult(STACK, "process", True, create, components, stages, seconds=1.81, hints=hints)

    def plan(self, context: Context, *, refresh: bool) -> PlanResult:
        """Keep everything, or show each kind of change."""
        self._ask("plan", refresh)
        if not self.drifted:
            keep = tuple(Change(ChangeKind.KEEP, f"component/{name}", "nothing changed") for name in ("alice", "bob"))
            return PlanResult(STACK, "process", keep, digest="5e" * 32)
        changes = (
            Change(ChangeKind.CREATE, "component/carol", "it does not exist"),
            Change(ChangeKind.UPDATE, "component/alice", "setting `log-level` was `info`, is `debug`"),
            Change(ChangeKind.REPLACE, "component/bob", "its seed changed, so its data cannot be kept"),
            Change(ChangeKind.DELETE, "channel/alice-dave", "it is no longer asked for"),
            Change(ChangeKind.START, "component/chain", "it exists as wanted, but does not run"),
            Change(ChangeKind.KEEP, "network/default", "nothing changed"),
        )
        drift = (Change(ChangeKind.UPDATE, "component/alice", "its process was started by somebody else"),)
        return PlanResult(STACK, "process", changes, drift if refresh else (), "5e" * 32)

    def down(self, context: Context, *, all_stacks: bool) -> DownResult:
        """Remove three resources."""
        self._ask("down", all_stacks)
        if self.empty:
            return DownResult("", "", ())
        with context.recorder.step("stop", "stopping"):
            context.clock.wait(0.4)
        removed = ("component/alice", "component/bob", "component/chain")
        return DownResult(STACK, "process", removed, seconds=0.41)

    def ps(self, context: Context, *, all_stacks: bool) -> PsResult:
        """Show each stack, the drifted world with a failed node."""
        self._ask("ps", all_stacks)
        nodes = (CHAIN, ALICE, FAILED if self.drifted else BOB)
        stacks = () if self.empty else self.stacks
        created, expires = "2030-01-01T00:00:00.250+00:00", "2030-01-01T01:00:00.250+00:00" if self.drifted else ""
        return PsResult(tuple(StackView(name, "process", created, expires, nodes) for name in stacks))

    def logs(
        self, context: Context, *, components: tuple[str, ...], tail: int | None, follow: bool
    ) -> Iterator[tuple[str, bytes]]:
        """Say three lines a component, one of them no UTF-8."""
        self._ask("logs", (components, tail, follow))
        for name in components or ("alice", "bob"):
            lines = (b"opening the database\n", b"p\xe4rt one\n", b"ready\r\n")
            yield from ((name, line) for line in lines[-(tail or len(lines)) :])

    def execute(self, context: Context, *, component: str, argv: Sequence[str]) -> int:
        """End with status 7."""
        self._ask("exec", (component, tuple(argv)))
        return 7

    def wait(self, context: Context, *, components: tuple[str, ...], condition: Condition) -> PsResult:
        """Find all as it should be."""
        self._ask("wait", (components, condition))
        return PsResult((StackView(STACK, "process", "", "", (ALICE,)),))

    def connect(self, context: Context, *, component: str, reveal: bool) -> ConnectResult:
        """Hide the macaroon unless it is to be revealed."""
        self._ask("connect", (component, reveal))
        folder = "/home/me/my shop/.cartridge/alice"
        return ConnectResult(
            component,
            {"LND_GRPC": "127.0.0.1:10009", "LND_TLS_CERT": f"{folder}/tls.cert", "LND_PASSWORD": self._secret(reveal)},
            {
                "lndconnect": f"lndconnect://127.0.0.1:10009?macaroon={self._secret(reveal)}",
                "p2p": "02ab@127.0.0.1:9735",
            },
            {"tls_cert": f"{folder}/tls.cert", "admin_macaroon": f"{folder}/admin.macaroon"},
            ("cartridge exec alice -- lncli --network=regtest getinfo",),
        )

    def init(self, folder: Path, *, example: str) -> tuple[str, ...]:
        """Write nothing."""
        self._ask("init", (str(folder), example))
        return "stacks/lightning-pair.yaml", ".gitignore"

    def check(self, context: Context) -> CheckResult:
        """Find what this world was given."""
        self._ask("check", None)
        return CheckResult(3, self.findings)

    def schema(self, kind: str) -> Mapping[str, object]:
        """Return a small schema."""
        self._ask("schema", kind)
        return {"title": kind, "type": "object"}

    def explain(self, code: str) -> str:
        """Know one code."""
        self._ask("explain", code)
        if code != "port-taken":
            raise InputError(
                f"there is no error code `{code}`", code="code-unknown", resolution="did you mean `port-taken`?"
            )
        return "# port-taken\n\nAnother program listens there.\n"

    def codes(self) -> tuple[str, ...]:
        """Return two codes."""
        return "no-stack", "port-taken"

    def show(self, context: Context, *, product: str) -> ShowResult:
        """Show a product."""
        self._ask("show", product)
        return ShowResult(product, '{"name": "lightning-pair"}', {"name": "lightning-pair"})

    def render(self, context: Context, *, to: Path | None) -> RenderResult:
        """Render two files."""
        self._ask("render", str(to) if to else None)
        files = (
            RenderedFileView("alice/lnd.conf", "[Bitcoin]\nbitcoin.regtest=1\n", "a1" * 32),
            RenderedFileView("chain/bitcoin.conf", "regtest=1\n", "b2" * 32),
        )
        return RenderResult("c3" * 32, files)

    def lock(self, context: Context, *, check: bool, update: tuple[str, ...], all_entries: bool) -> LockResult:
        """Find one entry drifted, or none."""
        self._ask("lock", (check, update, all_entries))
        kept = LockLine("lnd", "linux-x86_64", "go", "0.21.2-beta", "sha256-q6urq6urq6urq6urq6urq6ur")
        change = "drifted" if check else "updated"
        drifted = LockLine(
            "bitcoind",
            "linux-x86_64",
            "release",
            "31.1",
            "sha256-u7u7u7u7u7u7u7u7",
            change,
            "31.0 is no longer asked for",
        )
        lines = (drifted, kept) if self.drifted else (kept,)
        return LockResult(lines, in_step=not self.drifted, written=self.drifted and not check)

    def verify(self, context: Context, *, require: str | None) -> VerifyResult:
        """Grade two resources."""
        self._ask("verify", require)
        wrong = "the digest of the file is another one" if self.drifted else ""
        lines = (
            VerifyLine("artifact/lnd", "build", "built from go.sum, twice the same"),
            VerifyLine("artifact/bitcoind", "inputs", "release archive by SHA-256", wrong),
        )
        return VerifyResult("inputs", lines)

    def gc(self, context: Context, *, dry_run: bool) -> GcResult:
        """Find two orphans."""
        self._ask("gc", dry_run)
        if self.empty:
            return GcResult(())
        reason = "its lease ran out at 2030-01-01 00:00:00 UTC"
        return GcResult(
            (
                Orphan("process", "4711", STACK, reason, not dry_run),
                Orphan("lock", "stack.lock", "", "its holder is gone", not dry_run),
            )
        )

    def doctor(self, context: Context) -> DoctorResult:
        """Look at three things."""
        self._ask("doctor", None)
        missing = DoctorLine(
            "Docker", "failed", "its socket does not answer", "start Docker, or use `--target process`"
        )
        docker = missing if self.drifted else DoctorLine("Docker", "passed", "Engine 20.10")
        nix = DoctorLine("nix", "skipped", "not installed; archives are hashed without it")
        return DoctorResult((DoctorLine("Python", "passed", "3.11"), docker, nix))

    def mine(self, context: Context, *, blocks: int, to_height: int | None) -> MineResult:
        """Mine."""
        self._ask("mine", blocks if to_height is None else ("to", to_height))
        if to_height is not None:
            return MineResult(to_height, ("0" * 64,), ("carol",))
        return MineResult(101 + blocks, tuple(f"{number:064x}" for number in range(blocks)))

    def reorg(self, context: Context, *, depth: int, empty: bool, force: bool) -> ReorgResult:
        """Replace blocks that held three transactions."""
        self._ask("reorg", (depth, empty, force))
        gone, made = (tuple(f"{number:064x}" for number in range(of, of + depth)) for of in (0, 100))
        back = ("aa" * 32, "bb" * 32, "cc" * 32)
        shallow = ("alice-bob-0",) if force else ()
        return ReorgResult(depth, 108, gone, (*made, "ff" * 32), back, back[:1] if empty else (), back[2:], shallow)

    def block_interval(
        self, context: Context, *, mining: str | None, interval: int | None, seed: int | None
    ) -> MiningResult:
        """Take it, or say what it is."""
        self._ask("block_interval", (mining, interval, seed))
        failure = "generatetodescriptor: the chain does not answer" if self.empty else ""
        return MiningResult(STACK, mining or "on-demand", interval or 10_000, seed or 1, 25, 7, failure)

    def fee(self, context: Context, *, rate: int) -> FeeResult:
        """Take it."""
        self._ask("fee", rate)
        return FeeResult(STACK, rate, ("alice", "bob"), ("carol",) if rate > 50 else ())

    def faucet(
        self,
        context: Context,
        *,
        port: int,
        token_file: Path | None,
        most: int,
        begun: Callable[[FaucetResult], None],
    ) -> None:
        """Begin, and end at once."""
        self._ask("faucet", (port, token_file, most))
        begun(FaucetResult(STACK, f"http://127.0.0.1:{port or 40123}/", str(token_file or "faucet.token"), most))

    def fund(self, context: Context, *, node: str, amount: int) -> FundResult:
        """Fund."""
        self._ask("fund", (node, amount))
        if node.startswith("bcrt1"):
            return FundResult("", amount, "ab" * 32, 107, 0, node)
        return FundResult(node, amount, "ab" * 32, 107, amount + 5_000_000, "bcrt1qfresh")

    def pay(self, context: Context, *, payer: str, payee: str, amount: int | None, manner: Manner) -> PayResult:
        """Pay."""
        self._ask("pay", (payer, payee, amount, manner))
        kind = "keysend" if manner.keysend else "hold" if manner.hold else "invoice"
        state, parts = "canceled" if manner.cancel else "settled", 3 if manner.parts else 1
        payee = "bob" if amount is None else payee
        return PayResult(payer, payee, amount or 7_000, 1_000, "cd" * 32, 1, 0.0421, parts, kind, state)

    def invoice(self, context: Context, *, node: str, amount: int, memo: str, hold: bool) -> InvoiceResult:
        """Ask."""
        self._ask("invoice", (node, amount, memo, hold))
        return InvoiceResult(node, amount, "lnbcrt10u1p5", "cd" * 32, "open", memo, hold)

    def decide(self, context: Context, *, node: str, payment_hash: str, settle: bool) -> InvoiceResult:
        """Decide."""
        self._ask("decide", (node, payment_hash, settle))
        return InvoiceResult(node, 0, "", payment_hash, "settled" if settle else "canceled", hold=True)

    def channels(self, context: Context) -> ChannelsResult:
        """Know three channels, one opened by hand and one that is being closed."""
        self._ask("channels", None)
        if self.empty:
            return ChannelsResult(STACK, (), ("alice", "bob"))
        return ChannelsResult(STACK, (WRITTEN, BY_HAND, CLOSING))

    def open_channel(self, context: Context, *, wanted: Wanted) -> ChannelOpenResult:
        """Open."""
        self._ask("open_channel", wanted)
        return ChannelOpenResult(BY_HAND, 6)

    def close_channel(self, context: Context, *, which: tuple[str, ...], force: bool) -> ChannelCloseResult:
        """Close."""
        self._ask("close_channel", (which, force))
        return ChannelCloseResult(WRITTEN, "ee" * 32, force, 3, 141 if force else 0)

    def snapshot(
        self, context: Context, *, action: SnapshotAction, names: tuple[str, ...], file: Path | None
    ) -> SnapshotResult:
        """Know two snapshots, one of which a person asked for."""
        self._ask("snapshot", (action, names, file))
        if action == "ls":
            return SnapshotResult("ls", () if self.empty else (ASKED, READY))
        still = 0.038 if action == "create" else 0.0
        return SnapshotResult(action, (ASKED,), still, str(file) if file else "")

    def restore(self, context: Context, *, snapshot: str) -> RestoreResult:
        """Restore."""
        self._ask("restore", snapshot)
        return RestoreResult(STACK, ASKED.id, "process", (CHAIN, ALICE, BOB), 1.62)

    def fork(self, context: Context, *, name: str, snapshot: str) -> ForkResult:
        """Fork."""
        self._ask("fork", (name, snapshot))
        still = 0.0 if snapshot else 0.041
        return ForkResult(f"{name}-3f9a2c", name, STACK, snapshot, "process", (CHAIN, ALICE, BOB), still, 1.38)

    def network_import(self, context: Context, *, order: Order) -> ImportResult:
        """Import two nodes, one of which ran something else."""
        self._ask("network_import", order)
        notes = ("1 node ran `eclair` and will run `lnd`",)
        return ImportResult("shop", "stacks/shop.yaml", "Polar", 2, 1, notes, overwrote=order.force)

    def network_export(
        self, context: Context, *, form: str, to: Path | None, reveal: bool, force: bool
    ) -> ExportResult:
        """Export one node; there is one the form does not know."""
        self._ask("network_export", (form, to, reveal, force))
        text = "" if to else "alice  lndconnect://127.0.0.1:10009\n"
        return ExportResult(
            form, text, str(to or ""), ("left out, as `lndconnect` does not know what they run: `bob`",)
        )

    def network_graph(self, context: Context, *, form: str | None, to: Path | None, force: bool) -> GraphResult:
        """Draw alice and bob."""
        self._ask("network_graph", (form, to, force))
        nodes = (DrawnNode("alice", "lnd", 0.0, 0.5), DrawnNode("bob", "lnd", 1.0, 0.5))
        channels = (DrawnChannel("alice", "bob", 10_000, 7_500, 2_500, active=True, private=False),)
        text = "●alice ⠤⠤⠤⠤⠤⠤●bob\n\nalice ███░ bob  7_500 of 10_000 sat\n"
        path = str(to or f"lightning-pair.{form}") if form else ""
        totals = {"alice": 7_500, "bob": 2_500}
        return GraphResult("lightning-pair", not self.empty, nodes, channels, text, path, totals)

    def names(self, options: Options, kind: str) -> tuple[str, ...]:
        """Return the names of this world, or fail as one does whose state is broken."""
        self._ask("names", kind)
        return {"stack": ("lightning-pair", "lonely"), "code": self.codes()}.get(kind, ("alice", "bob", "chain"))

    def version_of(self, program: str, *arguments: str) -> str:
        """Know Docker only."""
        return "Docker version 20.10.24" if program == "docker" else ""

    def _ask(self, verb: str, how: object) -> None:
        self.asked.append((verb, how))
        if self.failing is not None:
            raise self.failing

    def _secret(self, reveal: bool) -> str:
        return "AgEDbG5kAvgBAwoQ" if reveal else HIDDEN


def no_stack() -> CartridgeError:
    """Return what the real operations raise where nothing is up."""
    return MissingError("no stack is up here", code="no-stack", resolution="`cartridge up` starts one")
