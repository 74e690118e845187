"""Every verb with its one line of help, by section: what `cartridge --help` and completion print.

A static table, so that listing the verbs imports none of them; a test holds it against the commands themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

import click

PROGRAM, COMPLETION = "cartridge", "_CARTRIDGE_COMPLETE"
"""The command's name, and the variable by which a shell asks it to complete."""

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Run a stack": {
        "up": "Bring a stack up and wait until it is ready.",
        "down": "End a stack and remove everything it made.",
        "plan": "Say what `up` would do, and why; change nothing.",
        "ps": "List what is up.",
        "logs": "Print what components said.",
        "exec": "Run a program where a component runs.",
        "wait": "Wait until components are ready, running or stopped.",
        "connect": "Print what a client needs to reach a node.",
    },
    "Keep and copy": {
        "snapshot": "Keep the data of what runs, and list, remove, export or import what is kept.",
        "restore": "Bring a stack to the data of a snapshot.",
        "fork": "Make a second network beside the first, with the same channels and balances.",
    },
    "Use the network": {
        "mine": "Mine blocks and wait until every node has them.",
        "block-interval": "Say how often blocks are made by themselves.",
        "fee": "Have nodes believe what fees are.",
        "reorg": "Replace the newest blocks by others.",
        "fund": "Give a node, or an address, on-chain money.",
        "faucet": "Give coins to programs that ask over HTTP.",
        "pay": "Pay from one node to another over Lightning.",
        "invoice": "Have a node ask for a payment; settle or cancel one that is held.",
        "channel": "Open, close and list channels.",
    },
    "Write stacks": {
        "init": "Write a small project to start from.",
        "check": "Report everything wrong in your documents.",
        "schema": "Print a JSON Schema, for editors and programs.",
        "explain": "Explain an error code.",
        "network": "Import, export and draw networks.",
        "show": "Print a product of the pipeline: workspace, stack, plan, bundle or settings.",
        "render": "Print every file the components would get.",
    },
    "Keep it in order": {
        "lock": "Pin every outside input by digest, or check that it is pinned.",
        "verify": "Grade how far a stack is reproducible.",
        "gc": "Remove what dead runs left behind.",
        "doctor": "Look whether this machine has what stacks need.",
        "completion": "Print the completion script of a shell.",
        "version": "Print the versions of Cartridge and of what it uses.",
    },
}

VERBS: Mapping[str, str] = {verb: line for verbs in SECTIONS.values() for verb, line in verbs.items()}
"""Help line by verb, in the order of the sections."""


class UnknownVerb(click.UsageError):
    """There is no such verb."""

    def __init__(self, verb: str, ctx: click.Context) -> None:
        super().__init__(f"there is no command `{verb}`", ctx)
        self.verb = verb
