"""Arranges images with captions in a grid, as one picture.

A font of 3 by 5 points is enough for captions, and needs no package.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

# The rows of each character from the top, three bits each.
_FONT = {
    character: [f"{int(row):03b}" for row in rows]
    for character, rows in zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_> ",
        (
            *("25755", "65656", "34443", "65556", "74647", "74644", "34553", "55755", "72227"),
            *("11152", "55655", "44447", "57755", "57775", "25552", "65644", "25573", "65655"),
            *("34216", "72222", "55557", "55552", "55775", "55255", "55222", "71247", "75557"),
            *("26227", "61247", "61216", "55711", "74616", "34657", "71222", "25252", "25316"),
            *("00700", "00007", "42124", "00000"),
        ),
        strict=True,
    )
}
_UNKNOWN = _FONT["-"]
_CHARACTER_WIDTH, _CHARACTER_HEIGHT = 4, 5
_GAP = 4


def write_grid(
    path: str, images: np.ndarray, captions: Sequence[Sequence[str]], columns: int = 8
) -> None:
    """Writes a PNG file with images in rows, each with its captions below.

    Args:
        path: The path of the file.
        images: The images, float32 of shape [size, height, width, 3] from 0 to 1.
        captions: For each image its lines of text, of which letters, digits, "-", "_" and ">"
            can be drawn; all have the same number of lines. What does not fit is cut off.
        columns: The number of images in a row.
    """
    tiles = [_draw_tile(image, lines) for image, lines in zip(images, captions, strict=True)]
    tiles += [np.ones_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[i : i + columns], 1) for i in range(0, len(tiles), columns)]
    picture = np.round(np.concatenate(rows) * 255).astype(np.uint8)
    tf.io.write_file(path, tf.io.encode_png(picture))


def _draw_tile(image: np.ndarray, lines: Sequence[str]) -> np.ndarray:
    """Draws an image on white, with lines of black text below."""
    height, width, _ = image.shape
    line_height = 2 * _CHARACTER_HEIGHT + 2
    tile_height = height + len(lines) * line_height + 2 * _GAP
    tile: np.ndarray = np.ones([tile_height, width + 2 * _GAP, 3], np.float32)
    tile[_GAP : _GAP + height, _GAP : _GAP + width] = image
    for number, line in enumerate(lines):
        text = np.repeat(np.repeat(draw_text(line), 2, 0), 2, 1)[:, :width]
        top = _GAP + height + 2 + number * line_height
        tile[top : top + text.shape[0], _GAP : _GAP + text.shape[1]] = (1 - text)[..., None]
    return tile


def draw_text(text: str) -> np.ndarray:
    """Draws a line of text: 1 is ink, 0 is paper; float32 of shape [5, 4 * len(text)]."""
    drawn: np.ndarray = np.zeros([_CHARACTER_HEIGHT, _CHARACTER_WIDTH * len(text)], np.float32)
    for position, character in enumerate(text.upper()):
        rows = _FONT.get(character, _UNKNOWN)
        left = position * _CHARACTER_WIDTH
        drawn[:, left : left + 3] = [[float(bit) for bit in row] for row in rows]
    return drawn
