"""The one door from the command line to the operations: a typed method a verb, each imported when it is called.

Adds nothing and decides nothing. Tests hand the commands `tests.doubles.verbs.FakeVerbs` instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cartridge.journal.recorder import Listener
    from cartridge.operations.access.context import Context, Options
    from cartridge.operations.channels import Wanted
    from cartridge.operations.imports import Order
    from cartridge.operations.pay import Manner
    from cartridge.operations.results import copies, networks, reports, stacks, topologies

Condition = Literal["ready", "running", "stopped"]
SnapshotAction = Literal["create", "ls", "rm", "export", "import"]


class Verbs:
    """The operations as they are."""

    def open(self, options: Options, verb: str, listeners: tuple[Listener, ...]) -> Context:
        """Return the context of one run."""
        from cartridge.operations.access.context import Context

        return Context.open(options, verb, listeners)

    def up(self, context: Context, *, refresh: bool, fresh: bool) -> stacks.UpResult:
        """See `operations.up`."""
        from cartridge.operations.up import up

        return up(context, refresh=refresh, fresh=fresh)

    def plan(self, context: Context, *, refresh: bool) -> reports.PlanResult:
        """See `operations.plan`."""
        from cartridge.operations.plan import plan

        return plan(context, refresh=refresh)

    def down(self, context: Context, *, all_stacks: bool) -> stacks.DownResult:
        """See `operations.down`."""
        from cartridge.operations.down import down

        return down(context, all_stacks=all_stacks)

    def ps(self, context: Context, *, all_stacks: bool) -> stacks.PsResult:
        """See `operations.ps`."""
        from cartridge.operations.ps import ps

        return ps(context, all_stacks=all_stacks)

    def logs(
        self, context: Context, *, components: tuple[str, ...], tail: int | None, follow: bool
    ) -> Iterator[tuple[str, bytes]]:
        """See `operations.logs`."""
        from cartridge.operations.logs import logs

        return logs(context, components=components, tail=tail, follow=follow)

    def execute(self, context: Context, *, component: str, argv: Sequence[str]) -> int:
        """See `operations.execute`."""
        from cartridge.operations.execute import execute

        return execute(context, component=component, argv=argv)

    def wait(self, context: Context, *, components: tuple[str, ...], condition: Condition) -> stacks.PsResult:
        """See `operations.wait`."""
        from cartridge.operations.wait import wait

        return wait(context, components=components, condition=condition)

    def connect(self, context: Context, *, component: str, reveal: bool) -> reports.ConnectResult:
        """See `operations.connect`."""
        from cartridge.operations.connect import connect

        return connect(context, component=component, reveal=reveal)

    def init(self, folder: Path, *, example: str) -> tuple[str, ...]:
        """See `operations.init`."""
        from cartridge.operations.init import init

        return init(folder, example=example)

    def check(self, context: Context) -> reports.CheckResult:
        """See `operations.check`."""
        from cartridge.operations.check import check

        return check(context)

    def schema(self, kind: str) -> Mapping[str, object]:
        """See `operations.schema`."""
        from cartridge.operations.schema import schema

        return schema(kind)

    def explain(self, code: str) -> str:
        """See `operations.explain`."""
        from cartridge.operations.explain import explain

        return explain(code)

    def codes(self) -> tuple[str, ...]:
        """See `operations.explain.codes`."""
        from cartridge.operations.explain import codes

        return codes()

    def show(self, context: Context, *, product: str) -> reports.ShowResult:
        """See `operations.show`."""
        from cartridge.operations.show import show

        return show(context, product=product)

    def render(self, context: Context, *, to: Path | None) -> reports.RenderResult:
        """See `operations.render`."""
        from cartridge.operations.render import render

        return render(context, to=to)

    def lock(self, context: Context, *, check: bool, update: tuple[str, ...], all_entries: bool) -> reports.LockResult:
        """See `operations.lock`."""
        from cartridge.operations.lock import lock

        return lock(context, check=check, update=update, all_entries=all_entries)

    def verify(self, context: Context, *, require: str | None) -> reports.VerifyResult:
        """See `operations.verify`."""
        from cartridge.operations.verify import verify

        return verify(context, require=require)

    def gc(self, context: Context, *, dry_run: bool) -> reports.GcResult:
        """See `operations.gc`."""
        from cartridge.operations.gc import gc

        return gc(context, dry_run=dry_run)

    def doctor(self, context: Context) -> reports.DoctorResult:
        """See `operations.doctor`."""
        from cartridge.operations.doctor import doctor

        return doctor(context)

    def mine(self, context: Context, *, blocks: int, to_height: int | None) -> networks.MineResult:
        """See `operations.mine`."""
        from cartridge.operations.mine import mine

        return mine(context, blocks=blocks, to_height=to_height)

    def reorg(self, context: Context, *, depth: int, empty: bool, force: bool) -> networks.ReorgResult:
        """See `operations.reorg`."""
        from cartridge.operations.reorg import reorg

        return reorg(context, depth=depth, empty=empty, force=force)

    def block_interval(
        self, context: Context, *, mining: str | None, interval: int | None, seed: int | None
    ) -> networks.MiningResult:
        """See `operations.block_interval`."""
        from cartridge.operations.block_interval import block_interval

        return block_interval(context, mining=mining, interval=interval, seed=seed)

    def fee(self, context: Context, *, rate: int) -> networks.FeeResult:
        """See `operations.fee`."""
        from cartridge.operations.fee import fee

        return fee(context, rate=rate)

    def faucet(
        self,
        context: Context,
        *,
        port: int,
        token_file: Path | None,
        most: int,
        begun: Callable[[networks.FaucetResult], None],
    ) -> None:
        """See `operations.faucet`."""
        from cartridge.operations.faucet import faucet

        faucet(context, port=port, token_file=token_file, most=most, begun=begun)

    def fund(self, context: Context, *, node: str, amount: int) -> networks.FundResult:
        """See `operations.fund`."""
        from cartridge.operations.fund import fund

        return fund(context, node=node, amount=amount)

    def pay(
        self, context: Context, *, payer: str, payee: str, amount: int | None, manner: Manner
    ) -> networks.PayResult:
        """See `operations.pay`."""
        from cartridge.operations.pay import pay

        return pay(context, payer=payer, payee=payee, amount=amount, manner=manner)

    def invoice(self, context: Context, *, node: str, amount: int, memo: str, hold: bool) -> networks.InvoiceResult:
        """See `operations.invoice`."""
        from cartridge.operations.invoice import invoice

        return invoice(context, node=node, amount=amount, memo=memo, hold=hold)

    def decide(self, context: Context, *, node: str, payment_hash: str, settle: bool) -> networks.InvoiceResult:
        """See `operations.invoice.decide`."""
        from cartridge.operations.invoice import decide

        return decide(context, node=node, payment_hash=payment_hash, settle=settle)

    def channels(self, context: Context) -> networks.ChannelsResult:
        """See `operations.channels`."""
        from cartridge.operations.channels import channels

        return channels(context)

    def open_channel(self, context: Context, *, wanted: Wanted) -> networks.ChannelOpenResult:
        """See `operations.channels.open_channel`."""
        from cartridge.operations.channels import open_channel

        return open_channel(context, wanted)

    def close_channel(self, context: Context, *, which: tuple[str, ...], force: bool) -> networks.ChannelCloseResult:
        """See `operations.channels.close_channel`."""
        from cartridge.operations.channels import close_channel

        return close_channel(context, which=which, force=force)

    def snapshot(
        self, context: Context, *, action: SnapshotAction, names: tuple[str, ...], file: Path | None
    ) -> copies.SnapshotResult:
        """See `operations.snapshot`; `file` is what `export` writes and `import` reads."""
        from cartridge.operations import snapshot

        name = names[0] if names else ""
        match action:
            case "create":
                return snapshot.create(context, name=name)
            case "ls":
                return snapshot.ls(context)
            case "rm":
                return snapshot.rm(context, names=names)
            case "export":
                return snapshot.export(context, name=name, file=file or Path(f"{name}.tar.gz"))
            case _:
                return snapshot.take_in(context, file=file or Path(name))

    def restore(self, context: Context, *, snapshot: str) -> copies.RestoreResult:
        """See `operations.restore`."""
        from cartridge.operations.restore import restore

        return restore(context, snapshot=snapshot)

    def fork(self, context: Context, *, name: str, snapshot: str) -> copies.ForkResult:
        """See `operations.fork`."""
        from cartridge.operations.fork import fork

        return fork(context, name, snapshot=snapshot)

    def network_import(self, context: Context, *, order: Order) -> topologies.ImportResult:
        """See `operations.imports`."""
        from cartridge.operations.imports import import_network

        return import_network(context, order)

    def network_export(
        self, context: Context, *, form: str, to: Path | None, reveal: bool, force: bool
    ) -> topologies.ExportResult:
        """See `operations.exports`."""
        from cartridge.operations.exports import export_network

        return export_network(context, form=form, to=to, reveal=reveal, force=force)

    def network_graph(
        self, context: Context, *, form: str | None, to: Path | None, force: bool
    ) -> topologies.GraphResult:
        """See `operations.graph`."""
        from cartridge.operations.graph import graph

        return graph(context, form=form, to=to, force=force)

    def names(self, options: Options, kind: str) -> tuple[str, ...]:
        """See `operations.complete`."""
        from cartridge.operations.complete import names

        return names(options, kind)

    def version_of(self, program: str, *arguments: str) -> str:
        """Return what a program on PATH says its version is; empty where it is not there or does not answer."""
        from cartridge.errors import CartridgeError
        from cartridge.spawn import run

        try:
            finished = run([program, *arguments], timeout=3)
        except CartridgeError:
            return ""
        return finished.stdout.strip().splitlines()[0] if finished.status == 0 and finished.stdout.strip() else ""
