"""Every failure has a sentence, a stable code and an exit status; several findings make one error."""

from __future__ import annotations

import pickle

import pytest

from cartridge.errors import (
    ApplyError,
    CartridgeError,
    DocumentsError,
    ExitStatus,
    Finding,
    InputError,
    InterruptError,
    Mark,
    MissingError,
    Severity,
    UnknownVerdictError,
)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (InputError, 2),
        (DocumentsError, 2),
        (MissingError, 3),
        (ApplyError, 4),
        (UnknownVerdictError, 5),
        (InterruptError, 130),
        (CartridgeError, 70),
    ],
)
def test_a_family_of_failures_has_one_exit_status(kind: type[CartridgeError], status: int) -> None:
    assert kind("it broke").exit_status == status


def test_a_subclass_nobody_gave_a_status_counts_as_a_bug() -> None:
    class UnheardOfError(CartridgeError):
        """A family that forgot to say."""

    assert UnheardOfError("it broke").exit_status is ExitStatus.BUG


def test_an_error_reads_as_its_brief_and_keeps_its_values() -> None:
    mark = Mark("stacks/shop.yaml", 12, 5)
    error = InputError(
        "nothing binds `cache`", code="binding-missing", details=("a", "b"), resolution="add it", mark=mark
    )

    assert str(error) == "nothing binds `cache`"
    assert error.args == ("nothing binds `cache`",)
    assert (error.code, error.details, error.resolution, error.mark) == ("binding-missing", ("a", "b"), "add it", mark)


def test_a_mark_reads_as_an_editor_takes_it_and_sorts_by_place() -> None:
    marks = [Mark("b.yaml", 1), Mark("a.yaml", 10, 2), Mark("a.yaml", 9, 40), Mark("a.yaml", 10, 1)]

    assert [str(mark) for mark in sorted(marks)] == ["a.yaml:9:40", "a.yaml:10:1", "a.yaml:10:2", "b.yaml:1:1"]


@pytest.mark.parametrize(("wrong", "brief"), [(1, "1 problem in your documents"), (2, "2 problems in your documents")])
def test_findings_become_one_error_that_counts_errors_and_not_warnings(wrong: int, brief: str) -> None:
    warning = Finding("unused-binding", "`colour` is never used", severity=Severity.WARNING)
    findings = (*(Finding("unknown-key", f"`{number}` is no key") for number in range(wrong)), warning)

    error = DocumentsError.of(findings)

    assert (error.brief, error.code, error.findings) == (brief, "documents-invalid", findings)


def test_an_interrupt_needs_no_words() -> None:
    assert (str(InterruptError()), InterruptError().code) == ("interrupted", "interrupted")


def test_errors_are_told_apart_by_identity_and_stay_catchable_in_sets() -> None:
    one, other = MissingError("no Docker"), MissingError("no Docker")

    assert one != other
    assert len({one, other}) == 2


def test_an_error_survives_a_process_boundary() -> None:
    error = pickle.loads(pickle.dumps(ApplyError("alice ended", code="component-failed", details=("last line",))))

    assert (error.brief, error.code, error.details) == ("alice ended", "component-failed", ("last line",))
