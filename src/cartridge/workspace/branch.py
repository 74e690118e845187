"""Which branch is checked out, read from git's own files: no git is needed. Changes nothing."""

from __future__ import annotations

from pathlib import Path

_REFERENCE, _FOLDER = "ref: refs/heads/", "gitdir: "


def branch(folder: Path) -> str:
    """Return the branch checked out around `folder`, worktrees included; the commit where there is no branch.

    "" outside any repository.
    """
    for place in (folder, *folder.parents):
        head = _first_line(_git_folder(place / ".git") / "HEAD")
        if head:
            return head.removeprefix(_REFERENCE)
    return ""


def _git_folder(path: Path) -> Path:
    """Return the folder that `.git` is, or that it names where it is the file of a worktree."""
    named = _first_line(path)
    return path.parent / named.removeprefix(_FOLDER) if named.startswith(_FOLDER) else path


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline().strip()
    except (OSError, UnicodeDecodeError):
        return ""
