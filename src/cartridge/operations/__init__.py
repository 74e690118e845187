"""One module a verb; the composition root. Functions take a `Context` and return a typed result.

Never prints and never asks: surfaces do. Everything the command line can do is here, so MCP and the console
get it free.
"""
