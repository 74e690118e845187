"""What a user writes, as frozen pydantic models: strict at every level, nothing computed.

One module a kind of document. Models know nothing of files, marks, targets or defaults that depend on
anything outside the document; `workspace` reads, checks and resolves them.
"""
