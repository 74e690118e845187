"""Renders a resolved stack: sandboxed Jinja2, an undefined name is an error with the template's file and line.

Secrets never come in: `secrets.NAME` renders as a placeholder (`<<secret:NAME>>`) that is filled in when a file
is written or a process started, so a bundle can be shown, compared and stored.
"""

from __future__ import annotations

import hashlib
import re
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cartridge.errors import DocumentsError, Finding, Mark
from cartridge.model.network import Network
from cartridge.render.bundle import Bundle, RenderedComponent, RenderedFile
from cartridge.workspace.resolved import ResolvedComponent, ResolvedStack

_PLACEHOLDER = re.compile(r"<<secret:([a-z_]+)>>")


class Places(Protocol):
    """What rendering asks a placement (see `deploy.engine.Placement`)."""

    def listen(self, component: str, port: str) -> str:
        """Return the host:port the component must bind."""

    def reach(self, component: str, port: str) -> str:
        """Return the host:port at which another component reaches it."""

    def data(self, component: str) -> str:
        """Return its data folder, as it sees it."""

    def config(self, component: str) -> str:
        """Return the folder of its rendered files, as it sees it."""

    def program(self, component: str, binary: str) -> str:
        """Return the path of one of its programs, as it sees it."""


class SymbolicPlaces:
    """A placement for looking at a bundle when nothing is placed: addresses are words in angle brackets."""

    def listen(self, component: str, port: str) -> str:
        """Return `<component.port>`."""
        return f"<{component}.{port}>"

    def reach(self, component: str, port: str) -> str:
        """Return `<component.port>`."""
        return f"<{component}.{port}>"

    def data(self, component: str) -> str:
        """Return `<component.data>`."""
        return f"<{component}.data>"

    def config(self, component: str) -> str:
        """Return `<component.config>`."""
        return f"<{component}.config>"

    def program(self, component: str, binary: str) -> str:
        """Return the program's name."""
        return binary


class _Secrets:
    """Answers any attribute with its placeholder."""

    def __getattr__(self, name: str) -> str:
        return f"<<secret:{name}>>"


def render(stack: ResolvedStack, places: Places) -> Bundle:
    """Return everything the stack's components run with.

    Raises:
        DocumentsError: findings `template-failed` and `template-syntax`, all of them, each with the template's mark.
    """
    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    )
    findings: list[Finding] = []
    rendered = {
        component.name: _component(environment, stack, component, places, findings) for component in stack.components
    }
    if findings:
        raise DocumentsError.of(tuple(findings))
    return Bundle(rendered, _digest(rendered))


def context_names() -> tuple[str, ...]:
    """Return the names a template is offered, which the checks of documents allow it to use."""
    return tuple(_offered(None, None, {}, SymbolicPlaces()))


def fill(text: str, secrets: Mapping[str, str]) -> str:
    """Return `text` with every placeholder replaced by its secret.

    Raises:
        KeyError: a secret that does not exist.
    """
    return _PLACEHOLDER.sub(lambda match: secrets[match[1]], text)


def _component(
    environment: ImmutableSandboxedEnvironment,
    stack: ResolvedStack,
    component: ResolvedComponent,
    places: Places,
    findings: list[Finding],
) -> RenderedComponent:
    context = _context(stack, component, places)

    def text(source: str, name: str) -> str:
        return _render(environment, source, name, context, findings)

    files = tuple(
        RenderedFile(
            file.path,
            text(stack.templates[file.template].text, f"templates/{file.template}").encode(),
            int(file.mode, 8),
        )
        for file in component.files
    )
    where = f"command of `{component.name}`"
    command = tuple(text(part, where) for part in component.command)
    variables = {
        name: text(value, f"environment of `{component.name}`") for name, value in component.environment.items()
    }
    return RenderedComponent(component.name, command, variables, files)


def _context(stack: ResolvedStack, component: ResolvedComponent, places: Places) -> dict[str, Any]:
    offered = _offered(component, stack.network, component.settings, places)
    return {**offered, "node": stack.network.nodes[component.node] if stack.network and component.node else None}


def _offered(
    component: ResolvedComponent | None, network: Network | None, settings: Mapping[str, Any], places: Places
) -> dict[str, Any]:
    return {
        "component": component,
        "settings": settings,
        "network": network,
        "node": None,
        "listen": places.listen,
        "reach": places.reach,
        "data": places.data,
        "config": places.config,
        "program": places.program,
        "secrets": _Secrets(),
    }


def _render(
    environment: ImmutableSandboxedEnvironment,
    source: str,
    name: str,
    context: Mapping[str, Any],
    findings: list[Finding],
) -> str:
    try:
        return environment.from_string(source).render(context)
    except jinja2.TemplateSyntaxError as error:
        findings.append(_finding("template-syntax", source, name, error.lineno, str(error.message)))
    except (jinja2.TemplateError, KeyError, TypeError, ValueError, AttributeError) as error:
        findings.append(_finding("template-failed", source, name, _line(error), str(error)))
    return ""


def _finding(code: str, source: str, name: str, line: int, why: str) -> Finding:
    lines = source.splitlines()
    snippet = lines[line - 1] if 0 < line <= len(lines) else ""
    return Finding(code, f"template cannot be rendered: {why}", Mark(name, line), "mend the template", snippet)


def _line(error: BaseException) -> int:
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<template>"]
    return (frames[-1] or 1) if frames else 1


def _digest(rendered: Mapping[str, RenderedComponent]) -> str:
    sha = hashlib.sha256()
    feed: Callable[[str], None] = lambda text: sha.update(text.encode() + b"\0")  # noqa: E731
    for name in sorted(rendered):
        component = rendered[name]
        for part in (name, *component.command, *(f"{key}={value}" for key, value in component.environment.items())):
            feed(part)
        for file in component.files:
            feed(f"{file.path} {file.mode:o}")
            sha.update(file.content + b"\0")
    return sha.hexdigest()
