"""Components as containers of one Docker Engine."""
