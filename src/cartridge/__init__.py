"""Cartridge: real Bitcoin and Lightning networks from versioned YAML.

This module holds the version and nothing else, so that `cartridge --version` costs no import.
"""

__version__ = "0.1.0"
