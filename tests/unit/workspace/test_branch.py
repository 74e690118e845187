"""The branch is read from git's own files, in repositories, worktrees and nowhere."""

from __future__ import annotations

from pathlib import Path

from cartridge import spawn
from cartridge.workspace.branch import branch


def test_outside_a_repository_there_is_none(tmp_path: Path) -> None:
    assert branch(tmp_path) == ""


def test_a_repository_a_worktree_and_a_commit_each_have_theirs(tmp_path: Path) -> None:
    main, tree = tmp_path / "main", tmp_path / "tree"
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-C", str(main))
    spawn.run(["git", "init", "--quiet", "--initial-branch=trunk", str(main)], check=True)
    spawn.run([*git, "commit", "--quiet", "--allow-empty", "-m", "First"], check=True)
    spawn.run([*git, "worktree", "add", "--quiet", "-b", "fix/oven", str(tree)], check=True)
    (main / "deep" / "er").mkdir(parents=True)

    found = [branch(main / "deep" / "er"), branch(tree)]
    spawn.run([*git, "checkout", "--quiet", "--detach"], check=True)
    commit = spawn.run([*git, "rev-parse", "HEAD"], check=True).stdout.strip()

    assert found == ["trunk", "fix/oven"]
    assert branch(main) == commit


def test_a_file_that_is_no_repository_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".git").write_bytes(b"\xff\xfe")

    assert branch(tmp_path) == ""
