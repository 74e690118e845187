"""Snapshots of stacks: data that stood still, kept by its content."""
