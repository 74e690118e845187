"""A snapshot is whole, its own, and what it was; or it is refused with a reason."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from cartridge.deploy.snapshots import store as snapshot_store
from cartridge.deploy.snapshots.archive import pack, unpack
from cartridge.deploy.snapshots.manifest import Cause, Manifest, decode, encode
from cartridge.deploy.snapshots.store import Snapshot, Snapshots, verify
from cartridge.errors import CartridgeError, InputError
from cartridge.plan.state import ComponentRecord, State

STATE = State(
    stack="net-0a1b2c",
    name="net",
    target="process",
    created="2030-01-01T00:00:00+00:00",
    digest="d" * 64,
    ready=True,
    components={"alice": ComponentRecord("lnd", "c" * 64, {"program": "p"}, {"p2p": 9735}, node=True)},
    programs={"lnd": "0.21.2-beta"},
)


def taken(
    store: Snapshots, *, name: str = "", cause: Cause = Cause.ASKED, created: str = "2030-01-01", state: State = STATE
) -> Snapshot:
    """Return a snapshot of two components with three files; its content differs with `created`."""
    with store.drafting() as draft:
        for path, content in {
            "alice/tls.cert": b"cert",
            "alice/data/channel.db": b"db",
            "chain/blk": b"\0" * 9000,
        }.items():
            file = draft.folder / "data" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content + created.encode())
        return store.keep(draft, draft.seal(state, 109, name=name, cause=cause, created=created))


@pytest.fixture
def store(tmp_path: Path) -> Snapshots:
    """The snapshots of an empty project."""
    return Snapshots(tmp_path / ".cartridge")


def code(error: pytest.ExceptionInfo[CartridgeError]) -> str:
    """Return the code of what was raised."""
    return error.value.code


def test_a_snapshot_is_found_by_its_name_its_id_and_the_beginning_of_it(store: Snapshots) -> None:
    kept = taken(store, name="before")

    found = [store.find(wanted) for wanted in ("before", kept.manifest.id, kept.manifest.id[:6])]

    assert found == [kept, kept, kept]
    assert kept.manifest.state == STATE
    assert sorted(kept.manifest.files["alice"]) == ["data/channel.db", "tls.cert"]


def test_equal_content_has_one_id_whatever_it_is_called_and_other_content_another(store: Snapshots) -> None:
    first, again = taken(store, name="a"), taken(store, name="b")
    other = taken(store, created="2030-01-02")
    moved = taken(store, state=replace(STATE, programs={"lnd": "0.22.0-beta"}))

    assert first.manifest.id == again.manifest.id
    assert len({one.manifest.id for one in (first, other, moved)}) == 3
    assert len(store.every()) == 3


def test_a_manifest_survives_being_written() -> None:
    manifest = Manifest("", "n", Cause.READY, "2030-01-01", 109, STATE, {}).sealed()

    assert decode(encode(manifest)) == manifest


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            lambda folder: (folder / "data/alice/tls.cert").write_bytes(b"CERT2030-01-01"),
            "`alice/tls.cert` is not what it was",
        ),
        (lambda folder: (folder / "data/alice/tls.cert").write_bytes(b""), "`alice/tls.cert` is not what it was"),
        (lambda folder: (folder / "data/chain/blk").unlink(), "`chain/blk` cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_is_not_what_it_was_is_named(store: Snapshots, damage, said: str) -> None:
    kept = taken(store)
    verify(kept)
    damage(kept.folder)

    with pytest.raises(InputError, match="corrupted") as error:
        verify(kept)

    assert (code(error), error.value.brief.partition("corrupted: ")[2]) == ("snapshot-corrupted", said)


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda body: body.update(height=110), "snapshot-corrupted"),
        (lambda body: body["state"].update(digest="e" * 64), "snapshot-corrupted"),
        (lambda body: body["files"]["alice"].pop("tls.cert"), "snapshot-corrupted"),
        (lambda body: body.pop("files"), "snapshot-corrupted"),
        (lambda body: body.update(version=2), "snapshot-newer"),
        (lambda body: body.update(cause="sabotage"), "snapshot-corrupted"),
    ],
)
def test_a_manifest_that_was_edited_is_refused(store: Snapshots, write, expected: str) -> None:
    kept = taken(store)
    manifest = kept.folder / "manifest.json"
    body = json.loads(manifest.read_bytes())
    write(body)
    manifest.write_text(json.dumps(body))

    with pytest.raises(InputError) as error:
        store.find(kept.manifest.id)

    assert code(error) == expected
    assert store.every() == ()


def test_names_that_mean_nothing_or_several_are_told_apart(store: Snapshots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_store, "SHORTEST", 0)
    taken(store)
    taken(store, created="2030-01-02")

    with pytest.raises(CartridgeError) as several:
        store.find("")
    with pytest.raises(CartridgeError) as none:
        store.find("nothing")
    with pytest.raises(CartridgeError) as outside:
        store.find("../snapshots")

    assert [code(one) for one in (several, none, outside)] == [
        "snapshot-ambiguous",
        "snapshot-unknown",
        "snapshot-unknown",
    ]


def test_only_the_newest_ready_ones_are_kept_and_all_that_were_asked_for(store: Snapshots) -> None:
    asked = [taken(store, created=f"2029-01-{day:02}") for day in range(1, 4)]
    ready = [taken(store, cause=Cause.READY, created=f"2030-01-{day:02}") for day in range(1, 12)]

    removed = store.prune()

    assert [one.id for one in removed] == [one.manifest.id for one in ready[2::-1]]
    assert store.every() == tuple(reversed([*asked, *ready[3:]]))


def test_a_draft_that_is_not_kept_is_gone_and_one_being_written_is_nobodys_leftover(store: Snapshots) -> None:
    with store.drafting() as draft:
        during = list(store.leftovers())
        folder = draft.folder
    taken(store)

    assert (during, folder.exists(), list(store.leftovers())) == ([], False, [])


def test_what_killed_writers_and_removers_left_is_found(store: Snapshots) -> None:
    kept = taken(store)
    for name in (".partial-1", ".doomed-1", "0123456789abcdef"):
        (store.folder / name).mkdir()

    found = {path.name: why for path, why in store.leftovers()}

    assert found == {
        ".partial-1": "its writer was killed",
        ".doomed-1": "its removal was killed",
        "0123456789abcdef": "the snapshot `0123456789abcdef` is corrupted: it has no manifest",
    }
    assert store.every() == (kept,)


def test_a_snapshot_goes_through_a_file_unharmed(store: Snapshots, tmp_path: Path) -> None:
    kept, file = taken(store, name="before"), tmp_path / "kept.tar.gz"
    pack(kept, file)
    elsewhere = Snapshots(tmp_path / "elsewhere")

    found = unpack(elsewhere, file)

    assert found.manifest == kept.manifest
    assert [path.stat().st_mode & 0o777 for path in (file, found.file("alice", "tls.cert"))] == [0o600, 0o600]
    verify(found)
    with pytest.raises(InputError) as error:
        pack(kept, file)
    assert code(error) == "file-exists"


def archive_of(members: dict[str, bytes], file: Path) -> Path:
    """Write a gzipped tar of these members, in order."""
    with tarfile.open(file, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file


def test_a_file_that_is_no_whole_snapshot_is_refused_and_leaves_nothing(store: Snapshots, tmp_path: Path) -> None:
    kept = taken(store)
    manifest = (kept.folder / "manifest.json").read_bytes()
    name, place = f"{kept.manifest.id}/manifest.json", f"{kept.manifest.id}/data"
    packed = tmp_path / "packed.tar.gz"
    pack(kept, packed)
    bad = [
        archive_of({"../../evil": b""}, tmp_path / "no-manifest.tar.gz"),
        archive_of({name: manifest, "../evil": b"x"}, tmp_path / "outside.tar.gz"),
        archive_of({name: manifest, f"{place}/alice/extra": b"x"}, tmp_path / "extra.tar.gz"),
        archive_of({name: manifest, f"{place}/alice/tls.cert": b"x"}, tmp_path / "other.tar.gz"),
        archive_of({"0000000000000000/manifest.json": manifest}, tmp_path / "renamed.tar.gz"),
        tmp_path / "cut.tar.gz",
        tmp_path / "text.tar.gz",
    ]
    bad[5].write_bytes(packed.read_bytes()[: packed.stat().st_size // 2])
    bad[6].write_bytes(b"hello")
    elsewhere = Snapshots(tmp_path / "elsewhere")

    codes = []
    for file in bad:
        with pytest.raises(CartridgeError) as error:
            unpack(elsewhere, file)
        codes.append(code(error))

    assert codes == ["snapshot-corrupted"] * len(bad)
    assert list(elsewhere.folder.iterdir()) == []
    assert not (tmp_path / "evil").exists()
    with pytest.raises(CartridgeError) as missing:
        unpack(elsewhere, tmp_path / "nowhere.tar.gz")
    assert code(missing) == "file-missing"


def test_removing_needs_no_readable_manifest(store: Snapshots) -> None:
    kept = taken(store)
    (kept.folder / "manifest.json").write_text("{")

    assert store.remove(store.named(kept.manifest.id))
    assert os.listdir(store.folder) == []
