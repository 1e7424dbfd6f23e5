"""Promises about the package's own text: typed, no callbacks from foreign threads, small files."""

import re
import subprocess
import sys

from conftest import PACKAGE

FILES = sorted(PACKAGE.glob("corbel/**/*.py"))


def test_mypy_strict() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", "pyproject.toml", "--cache-dir=/dev/null"],
        cwd=PACKAGE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert (PACKAGE / "corbel" / "py.typed").exists()


def test_no_callback_is_given_to_the_library() -> None:
    for file in FILES:
        assert not re.search(r"CFUNCTYPE|PYFUNCTYPE|WINFUNCTYPE|call_soon_threadsafe", file.read_text()), file


def test_files_are_small() -> None:
    assert len(FILES) > 20
    for file in FILES:
        lines = file.read_text().splitlines()
        assert len(lines) < 240, file
        assert max(map(len, lines)) <= 125, file


def test_the_standard_library_is_enough() -> None:
    """Imports everything with the site packages switched off."""
    program = "import corbel, corbel.blocking; print(corbel.version())"
    done = subprocess.run([sys.executable, "-S", "-s", "-c", program], stdout=subprocess.PIPE, check=True, text=True)
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", done.stdout)
