"""A scene as SVG: a file by itself, no script, no outside font or picture. Pure."""

from __future__ import annotations

from html import escape

from cartridge.lightning.pictures.scene import PAPER, Scene

FONT = "ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"


def svg(scene: Scene) -> str:
    """Return the text of an SVG file."""
    lines = [
        f'<line x1="{line.start[0]:.1f}" y1="{line.start[1]:.1f}" x2="{line.end[0]:.1f}" y2="{line.end[1]:.1f}"'
        f' stroke="{line.colour}" stroke-width="{line.width:.1f}"/>'
        for line in scene.lines
    ]
    discs = [
        f'<circle cx="{disc.centre[0]:.1f}" cy="{disc.centre[1]:.1f}" r="{disc.radius:.1f}" fill="{disc.colour}"'
        f' stroke="{PAPER}" stroke-width="3"/>'
        for disc in scene.discs
    ]
    words = [
        f'<text x="{word.centre[0]:.1f}" y="{word.centre[1]:.1f}" font-size="{word.size}" fill="{word.colour}"'
        f' font-weight="{600 if word.is_bold else 400}">{escape(word.text)}</text>'
        for word in scene.words
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{scene.width}" height="{scene.height}"'
        f' viewBox="0 0 {scene.width} {scene.height}" font-family="{FONT}" text-anchor="middle"'
        f' dominant-baseline="middle" paint-order="stroke" stroke-linejoin="round">'
    )
    page = f'<rect width="100%" height="100%" fill="{PAPER}"/>'
    halo = f'<g stroke="{PAPER}" stroke-width="4">'
    return "\n".join([head, page, *lines, *discs, halo, *words, "</g>", "</svg>"]) + "\n"
