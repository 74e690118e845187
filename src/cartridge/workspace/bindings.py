"""Values for the settings of a cartridge: default, then profile, then bindings, each checked, each remembered. Pure.

Durations come out in milliseconds, amounts in millisatoshi.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from cartridge.model.cartridge import Cartridge, Scalar, Setting
from cartridge.model.units import parse_amount, parse_duration
from cartridge.workspace.names import PROFILE


class WrongValueError(ValueError):
    """A value a setting does not take: `code`, brief and resolution of the finding to make."""

    def __init__(self, code: str, brief: str, resolution: str) -> None:
        super().__init__(brief)
        self.code, self.brief, self.resolution = code, brief, resolution


class Settled(Struct, frozen=True):
    """Every setting of a cartridge with its value, and who set it: `default`, `profile fast`, `binding`, `--set`."""

    values: Mapping[str, Scalar]
    provenance: Mapping[str, str]


def settle(cartridge: Cartridge, bindings: Mapping[str, Scalar], overrides: Mapping[str, Scalar]) -> Settled:
    """Return the settings of `cartridge` with a profile, `bindings` and `overrides` applied.

    Args:
        cartridge: declares settings and profiles.
        bindings: the stack's, setting to value as written; `profile` chooses a profile.
        overrides: the flags', of the same form; they win.

    Raises:
        WrongValueError: a value that its setting does not take (the checks have said so before).
        KeyError: a profile or setting that does not exist (likewise).
    """
    profile = overrides.get(PROFILE, bindings.get(PROFILE, cartridge.default_profile))
    layers: list[tuple[str, Mapping[str, Scalar]]] = [
        ("default", {name: each.default for name, each in cartridge.settings.items() if each.default is not None}),
        (f"profile {profile}", cartridge.profiles[str(profile)] if profile is not None else {}),
        ("binding", bindings),
        ("--set", overrides),
    ]
    values: dict[str, Scalar] = {}
    provenance: dict[str, str] = {}
    for origin, layer in layers:
        for name, given in layer.items():
            if name != PROFILE:
                values[name], provenance[name] = value_of(name, cartridge.settings[name], given), origin
    return Settled(values, provenance)


def value_of(name: str, setting: Setting, given: Scalar) -> Scalar:
    """Return `given` in base units.

    Raises:
        WrongValueError: `setting-type`, `setting-choice` or `setting-range`.
    """
    value = _typed(name, setting, given)
    for bound, word in ((setting.minimum, "least"), (setting.maximum, "most")):
        limit = None if bound is None else _typed(name, setting, bound)
        if limit is None or isinstance(limit, str) or isinstance(value, str):
            continue
        if value < limit if word == "least" else value > limit:
            brief = f"`{name}` is `{given}`, but must be at {word} `{bound}`"
            raise WrongValueError("setting-range", brief, f"write a value that is at {word} `{bound}`")
    return value


def from_text(name: str, setting: Setting, text: str) -> Scalar:
    """Return what `text` (from `--set`) means to a setting, as it would be written in YAML.

    Raises:
        WrongValueError: `setting-type`.
    """
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    try:
        match setting.type:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return words[text.lower()]
            case _:
                return text
    except (ValueError, KeyError) as error:
        raise _wrong_type(name, setting, text) from error


def _typed(name: str, setting: Setting, given: Scalar) -> Scalar:
    parsers: Mapping[str, Callable[[object], int]] = {"duration": parse_duration, "amount": parse_amount}
    if setting.type in parsers:
        try:
            return parsers[setting.type](given)
        except ValueError as error:
            brief, _, resolution = str(error).partition("; ")
            raise WrongValueError("setting-type", f"`{name}`: {brief}", resolution) from error
    if setting.type == "enum":
        if given in setting.values and isinstance(given, str):
            return given
        known = ", ".join(f"`{value}`" for value in setting.values)
        raise WrongValueError("setting-choice", f"`{name}` cannot be `{_shown(given)}`", f"one of {known}")
    if not _fits(setting.type, given):
        raise _wrong_type(name, setting, given)
    return given


def _fits(kind: str, given: Scalar) -> bool:
    if isinstance(given, bool):
        return kind == "boolean"
    return isinstance(given, _TYPES.get(kind, ()))


_TYPES: Mapping[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "number": (int, float)}

_WANTED = {
    "string": ("a text", "put it in quotes"),
    "integer": ("a whole number", "write a whole number, such as `3`"),
    "number": ("a number", "write a number, such as `0.5`"),
    "boolean": ("`true` or `false`", "write `true` or `false`"),
}


def _wrong_type(name: str, setting: Setting, given: Scalar) -> WrongValueError:
    wanted, resolution = _WANTED[setting.type]
    return WrongValueError("setting-type", f"`{name}` is `{_shown(given)}`, but must be {wanted}", resolution)


def _shown(given: Scalar) -> str:
    return str(given).lower() if isinstance(given, bool) else str(given)
