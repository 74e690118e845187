"""The documentation says what is so: codes have pages, commands exist, links lead somewhere, words are agreed ones."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

import cartridge.model.artifact
import cartridge.model.cartridge
import cartridge.model.document
import cartridge.model.network
import cartridge.model.stack
from cartridge import spawn
from cartridge.surfaces.cli.app import root
from cartridge.surfaces.cli.catalogue import VERBS
from cartridge.workspace.names import CONTEXT
from docs import generate
from tests.architecture.source import ROOT, modules

MODELS = (
    cartridge.model.artifact,
    cartridge.model.cartridge,
    cartridge.model.document,
    cartridge.model.network,
    cartridge.model.stack,
)

ORDINARY = {"metadata", "use", "file", "stop", "archive", "check", "part", "document"}
"""Parts of the documents that mean just what the word means."""

OUTSIDE = {
    "bitcoincore.org",
    "github.com",
    "json-schema.org",
    "localhost",
    "w3.org",
}
"""Hosts of public projects that files may name; a package index is the user's to choose, so none is named anywhere."""


def tracked(*suffixes: str) -> list[Path]:
    """Return the files that git would keep, by their endings; all without any."""
    listed = spawn.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True)
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file() and (not suffixes or path.suffix in suffixes)]


PAGES = tracked(".md")


def complain(offenders: list[str], rule: str) -> None:
    """Fail with all offenders at once."""
    assert not offenders, f"{rule}:\n  " + "\n  ".join(sorted(offenders))


def codes_raised() -> dict[str, str]:
    """Return every literal error code in the package with the place it is given."""
    found: dict[str, str] = {}
    for module in modules():
        for node in ast.walk(module.tree):
            given = [keyword.value for keyword in getattr(node, "keywords", []) if keyword.arg == "code"]
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Finding":
                given += node.args[:1]
            if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "code" and node.value:
                given.append(node.value)
            found |= {code: module.at(node) for value in given for code in literals(value)}
    found.pop("error", None)  # the base's own default, which nothing should reach
    return {code: place for code, place in found.items() if code}


def literals(value: ast.expr) -> Iterator[str]:
    """Yield the strings an expression may come to; both sides of an `if`."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    if isinstance(value, ast.IfExp):
        yield from literals(value.body)
        yield from literals(value.orelse)


def error_pages() -> dict[str, Path]:
    """Return the page of each code."""
    return {page.stem: page for page in generate.pages(ROOT / "docs" / "errors")}


def test_every_code_that_is_raised_has_a_page() -> None:
    complain(
        [f"{place} {code}" for code, place in codes_raised().items() if code not in error_pages()],
        "write docs/errors/<code>.md for",
    )


def test_every_page_of_a_code_is_about_one_that_exists() -> None:
    strings = {
        node.value
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    complain([code for code in error_pages() if code not in strings], "nothing raises these any more")


def test_a_page_of_a_code_says_what_it_means_and_what_to_do() -> None:
    wrong = []
    for code, page in error_pages().items():
        text = page.read_text(encoding="utf-8")
        if not text.startswith(f"# {code}\n\n") or "\n**What to do.** " not in text:
            wrong.append(f"docs/errors/{page.name}")
    complain(wrong, "a page is `# code`, what it means, and a paragraph that begins with **What to do.**")


@pytest.mark.parametrize("name", generate.PAGES)
def test_a_page_made_from_the_code_is_fresh(name: str) -> None:
    page = ROOT / "docs" / name

    assert page.exists(), "run `make docs`"
    assert page.read_text(encoding="utf-8") == generate.MADE + generate.PAGES[name](), "run `make docs`"


def glossary() -> dict[str, set[str]]:
    """Return the words with what they are never called."""
    rows = re.findall(
        r"^\| \*\*(.+?)\*\* \| .+ \| (.*?) \|$", (ROOT / "docs/glossary.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    return {word: {other.strip() for other in re.sub(r"\(.*?\)", "", never).split(",")} for word, never in rows}


def written_models() -> list[type[BaseModel]]:
    """Return the models of what users write."""
    return [
        value
        for module in MODELS
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, BaseModel) and value.__module__ == module.__name__
    ]


def test_what_a_document_is_made_of_stands_in_the_glossary() -> None:
    nouns = {re.findall(r"[A-Z][a-z0-9]*", model.__name__)[-1].lower() for model in written_models()}

    complain(list(nouns - set(glossary()) - ORDINARY), "the glossary lacks")


def test_nothing_is_called_by_a_word_the_glossary_rules_out() -> None:
    ruled_out = {word for never in glossary().values() for word in never if " " not in word} - set(glossary())
    named = {model.__name__.lower() for model in written_models()}
    named |= {name for model in written_models() for name in model.model_fields}

    # a Go module and a Debian package are called so by everybody
    complain(list(named & ruled_out - {"module", "package"}), "the glossary has another word for")


def fenced(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a page in one language."""
    text = page.read_text(encoding="utf-8")
    return [inspect.cleandoc("\n" + block) for block in re.findall(rf"(?ms)^ *```{language}\n(.*?)^ *```", text)]


def commands() -> list[tuple[str, str]]:
    """Return every command line the pages show, fenced or inline, with its page."""
    found = []
    for page in PAGES:
        name = page.relative_to(ROOT).as_posix()
        if name in {f"docs/{made}" for made in generate.PAGES}:
            continue
        lines = [line[2:] for block in fenced(page, "console") for line in block.splitlines() if line.startswith("$ ")]
        lines += re.findall(r"`((?:make|cartridge) [^`\n]+)`", page.read_text(encoding="utf-8"))
        found += [(name, line.partition("  #")[0].strip().removeprefix(".venv/bin/")) for line in lines]
    return found


def test_make_targets_the_pages_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = [(page, shlex.split(line)[1]) for page, line in commands() if line.startswith("make ")]

    complain([f"{page}: make {target}" for page, target in named if target not in targets], "no such target")
    assert {"up", "test"} <= {target for page, target in named if page == "README.md"}


def test_verbs_and_flags_the_pages_name_exist() -> None:
    wrong = []
    for page, line in commands():
        words = shlex.split(line)
        if words[0] != "cartridge" or words[1].startswith("-"):
            continue
        wrong += [f"{page}: {line} ({word})" for word in strangers(words[1], words[2:])]

    complain(wrong, "no such verb or flag")


def strangers(verb: str, words: list[str]) -> list[str]:
    """Return the verb or flags that the command line does not have."""
    if verb.isupper():
        return []
    if verb not in VERBS:
        return [verb]
    command = root.get_command(click.Context(root), verb)
    if isinstance(command, click.Group):
        if not words or words[0] not in command.commands:
            return [" ".join((verb, *words[:1]))]
        command = command.commands[words[0]]
    assert command is not None
    known = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)} | {"--help", "-h"}
    ours = words[: words.index("--")] if "--" in words else words
    return [word for word in ours if word.startswith("-") and word.partition("=")[0] not in known]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_between_pages_lead_somewhere() -> None:
    dead = []
    for page in PAGES:
        text = re.sub(r"(?ms)^ *```.*?^ *```|`[^`\n]*`", "", page.read_text(encoding="utf-8"))
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            if "://" in link or "NNNN" in link:
                continue
            if not target.exists() or (anchor and anchor not in anchors(target)):
                dead.append(f"{page.relative_to(ROOT)}: {link}")
    complain(dead, "these links lead nowhere")


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)\s#:]+)", page.read_text(encoding="utf-8"))
        waiting += [(page.parent / link).resolve() for link in links]
        waiting += [(page.parent / link / "README.md").resolve() for link in links]

    lost = [page for page in tracked(".md") if page.is_relative_to(ROOT / "docs") and page.resolve() not in reached]
    complain([str(page.relative_to(ROOT)) for page in lost], "no page leads to")


def test_every_name_a_template_may_use_is_explained() -> None:
    page = (ROOT / "docs/reference/templates.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `(\w+)", page, re.MULTILINE)

    assert sorted(explained) == sorted(CONTEXT)


def test_docstrings_point_to_pages_that_exist() -> None:
    dead = [
        f"{module.path.relative_to(ROOT)}: {name}"
        for module in modules()
        for name in re.findall(r"docs/[\w/-]+\.md", module.text)
        if not (ROOT / name).exists()
    ]
    complain(dead, "these pages are not there")


def test_no_file_names_a_package_index_or_a_folder_of_one_machine() -> None:
    index = re.compile(
        r"\b(?:pypi|(?:proxy|registry|index|files|deb|mirrors?|ftp|repo\d?|crates|packages)\.[\w-]+)\.(?:org|io|com|net)\b"
    )
    folder = re.compile(r"(?<![\w.}/-])/(?:root|work)/\w")
    wrong = []
    for path in tracked():
        if path.suffix in {".sum", ".mod", ".png", ".svg"} or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if index.search(line) or folder.search(line):
                wrong.append(f"{path.relative_to(ROOT)}:{number}")
    complain(wrong, "a package index or a folder of one machine is named")


def test_addresses_in_files_are_those_of_public_projects() -> None:
    url = re.compile(r"\bhttps?://([\w.-]*[a-z][\w.-]*\.[a-z]{2,})")
    wrong = []
    for path in tracked(".py", ".yaml", ".toml", ".md", ".j2", ".sh", ".cfg"):
        if path.is_relative_to(ROOT / "tests"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for host in url.findall(line):
                if host.removeprefix("www.") not in OUTSIDE and not host.endswith(
                    (".example", "example.org", "example.com")
                ):
                    wrong.append(f"{path.relative_to(ROOT)}:{number} {host}")
    complain(wrong, "add the host to OUTSIDE, if it is a public project's")
