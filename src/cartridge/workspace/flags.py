"""What `--set` means to the cartridges of a stack: which setting of which cartridge, and the value as typed. Pure.

`--set setting=value` goes to the one cartridge that declares the setting; `--set cartridge.setting=value` says which.
`--set profile=NAME` chooses the profile in every cartridge that has one of that name.
"""

from __future__ import annotations

from collections.abc import Mapping

from cartridge.errors import DocumentsError, Finding
from cartridge.model.cartridge import Cartridge, Scalar
from cartridge.workspace.bindings import WrongValueError, from_text, value_of
from cartridge.workspace.names import PROFILE
from cartridge.workspace.select import Assembly
from cartridge.workspace.validate import suggestion


def bound(assembly: Assembly, given: Mapping[str, str]) -> Mapping[str, Mapping[str, Scalar]]:
    """Return for each cartridge of a stack the bindings that `--set` gives it.

    Args:
        assembly: the stack with its cartridges.
        given: `setting` or `cartridge.setting` to text.

    Raises:
        DocumentsError: `setting-unknown`, `setting-ambiguous`, `profile-unknown` or a value's own code, all at once.
    """
    cartridges = {name: file.document for name, file in assembly.chosen.items()}
    found: dict[str, dict[str, Scalar]] = {name: {} for name in cartridges}
    findings: list[Finding] = []
    for word, text in given.items():
        owner, _, setting = word.rpartition(".")
        owners = _owners(cartridges, owner, setting, text)
        if len(owners) != 1 and not (setting == PROFILE and owners):
            findings.append(_lost(cartridges, word, text, owners))
            continue
        for name in owners:
            try:
                found[name][setting] = _value(cartridges[name], setting, text)
            except WrongValueError as error:
                brief = f"--set {word}={text}: {error.brief}"
                findings.append(Finding(error.code, brief, resolution=error.resolution))
    if findings:
        raise DocumentsError.of(tuple(findings))
    return found


def _owners(cartridges: Mapping[str, Cartridge], owner: str, setting: str, text: str) -> list[str]:
    """Return the cartridges a binding may mean."""
    among = [owner] if owner in cartridges else [] if owner else list(cartridges)
    if setting == PROFILE:
        return [name for name in among if text in cartridges[name].profiles]
    return [name for name in among if setting in cartridges[name].settings]


def _value(cartridge: Cartridge, setting: str, text: str) -> Scalar:
    if setting == PROFILE:
        return text
    value = from_text(setting, cartridge.settings[setting], text)
    value_of(setting, cartridge.settings[setting], value)
    return value


def _lost(cartridges: Mapping[str, Cartridge], word: str, text: str, owners: list[str]) -> Finding:
    owner, _, setting = word.rpartition(".")
    if owners:
        ways = ", ".join(f"`--set {name}.{setting}={text}`" for name in owners)
        brief = f"--set {word}={text}: several cartridges have a setting `{setting}`"
        return Finding("setting-ambiguous", brief, resolution=f"say which: {ways}")
    if setting == PROFILE:
        names = sorted({profile for cartridge in cartridges.values() for profile in cartridge.profiles})
        brief = f"--set {word}={text}: no cartridge of this stack has a profile `{text}`"
        return Finding("profile-unknown", brief, resolution=suggestion(text, names))
    names = sorted({name for cartridge in cartridges.values() for name in cartridge.settings})
    if owner and owner not in cartridges:
        brief, names, setting = f"--set {word}={text}: this stack has no cartridge `{owner}`", list(cartridges), owner
        return Finding("cartridge-unknown", brief, resolution=suggestion(setting, names))
    brief = f"--set {word}={text}: no cartridge of this stack has a setting `{setting}`"
    return Finding("setting-unknown", brief, resolution=suggestion(setting, names))
