"""The ways to come by a program, one module each; what they share is in `cartridge.artifacts.channel`."""
