"""Where a stack runs: the one word of a stack document that is needed where no document is read."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Target(StrEnum):
    """Where a stack runs."""

    PROCESS = "process"  # plain local processes under a guardian
    DOCKER = "docker"  # containers, through Pulumi
