"""Real text to work on: every paragraph of the project's own documentation and headers."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORD = re.compile(rb"[0-9A-Za-z'\x80-\xff]+")


def files():
    found = [ROOT / "README.md", *sorted((ROOT / "include").rglob("*.h")), *sorted((ROOT / "include").rglob("*.hpp"))]
    return [path for path in found if path.exists()]


def paragraphs():
    """Pieces between empty lines that hold at least three words, in the order of the files."""
    pieces = []
    for path in files():
        for piece in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
            if 3 <= count_words(piece) and len(piece) <= 32000:
                pieces.append(piece.strip())
    return pieces


def count_words(text):
    """Words as corbel-proc counts them: to tell a right answer from a wrong one."""
    return len(WORD.findall(text.encode()))
