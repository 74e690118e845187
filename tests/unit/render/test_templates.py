"""Rendering gives bytes and a digest, or every finding at once; it never sees a secret."""

from __future__ import annotations

import pytest

from cartridge.errors import DocumentsError, Finding, Mark
from cartridge.model.cartridge import File
from cartridge.render.bundle import RenderedComponent, RenderedFile
from cartridge.render.templates import SymbolicPlaces, context_names, fill, render
from cartridge.workspace.names import CONTEXT
from tests.doubles.stacks import component, stack


def test_a_component_is_rendered_whole() -> None:
    bundle = render(stack(), SymbolicPlaces())

    assert bundle.components == {
        "web": RenderedComponent(
            "web", ("sleep", "60"), {"PORT": "<web.http>"}, (RenderedFile("web.conf", b"say hello\n", 0o644),)
        )
    }


def test_the_same_input_gives_the_same_digest_and_another_another() -> None:
    one, again = render(stack(), SymbolicPlaces()), render(stack(), SymbolicPlaces())
    other = render(stack(component(settings={"greeting": "bye"})), SymbolicPlaces())

    assert one.digest == again.digest != other.digest


def test_a_secret_is_a_placeholder_until_it_is_filled_in() -> None:
    wanted = stack(
        component(files=(File(path="web.conf", template="web.conf.j2", mode="0600"),)),
        template="password={{ secrets.rpc_password }}\n",
    )

    [file] = render(wanted, SymbolicPlaces()).components["web"].files

    assert file == RenderedFile("web.conf", b"password=<<secret:rpc_password>>\n", 0o600)
    assert fill(file.content.decode(), {"rpc_password": "hush"}) == "password=hush\n"


WRONG = {
    "an undefined name": ("one\n{{ nothing }}\n", "template-failed", 2, "'nothing' is undefined"),
    "an undefined setting": (
        "{{ settings.absent }}\n",
        "template-failed",
        1,
        "'dict object' has no attribute 'absent'",
    ),
    "bad syntax": (
        "one\ntwo\n{% if %}\n",
        "template-syntax",
        3,
        "Expected an expression, got 'end of statement block'",
    ),
    "a forbidden attribute": ("{{ ''.__class__.__mro__ }}\n", "template-failed", 1, "access to attribute '__class__'"),
}


@pytest.mark.parametrize(("template", "code", "line", "why"), WRONG.values(), ids=WRONG)
def test_a_template_that_fails_is_a_finding_with_its_own_line(template: str, code: str, line: int, why: str) -> None:
    with pytest.raises(DocumentsError) as caught:
        render(stack(template=template), SymbolicPlaces())

    [finding] = caught.value.findings
    assert (finding.code, finding.mark) == (code, Mark("templates/web.conf.j2", line))
    assert why in finding.brief
    assert finding.snippet == template.splitlines()[line - 1]


def test_all_components_are_rendered_before_anything_is_reported() -> None:
    with pytest.raises(DocumentsError) as caught:
        render(stack(component("one"), component("two"), template="{{ nothing }}"), SymbolicPlaces())

    assert [type(finding) for finding in caught.value.findings] == [Finding, Finding]


def test_a_template_is_offered_exactly_the_names_the_checks_allow() -> None:
    assert sorted(context_names()) == sorted(CONTEXT)
