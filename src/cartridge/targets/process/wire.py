"""What the guardian and its client agree on. Constants only; imports nothing."""

PROTOCOL = 2
"""Raised when a message changes its meaning; both sides must have the same."""

SOCKET, LOCK = "guardian.sock", "guardian.lock"
"""Names in a stack's runtime folder: where the guardian listens, and what it holds while it lives."""

CRASH = "guardian.log"
"""Name in a stack's own folder: what the guardian says about its own end, if anything."""

LINK = "runtime"
"""Name in a stack's own folder: a link to its runtime folder, for clients whose settings lead elsewhere."""

STACK_MARK, COMPONENT_MARK, GUARDIAN_MARK = "CARTRIDGE_STACK", "CARTRIDGE_COMPONENT", "CARTRIDGE_GUARDIAN"
"""Environment variables by which a component's processes, and a guardian, are known without any state."""

LONGEST_LINE = 8 << 20
"""Bytes of one message; a longer one ends the connection."""

LOG_LIMIT, LOG_FILES = 10 << 20, 3
"""Bytes of one log file, and how many are kept: `x.log`, `x.log.1`, `x.log.2`, newest first."""

LOOPBACK = "127.0.0.1"
"""The only address components listen on."""
