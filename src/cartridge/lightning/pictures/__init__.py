"""A network as a picture: places for its nodes, and drawings of them for a terminal, as SVG and as PNG."""
