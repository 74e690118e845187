"""Plain Pulumi's door: `pulumi up` makes the same resources as `cartridge up --target docker`."""

from cartridge.surfaces.plugin import program

program()
