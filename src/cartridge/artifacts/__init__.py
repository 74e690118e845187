"""Programs by content: where they come from, how they are pinned, where they are kept."""
