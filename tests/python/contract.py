"""Reads the C headers as text: structs, constants and functions, for the tests that compare the package with them."""

import re
from typing import Dict, List, Tuple

from conftest import ROOT

HEADERS = sorted((ROOT / "include" / "corbel" / "c").glob("*.h"))


def _text() -> str:
    text = "\n".join(header.read_text() for header in HEADERS).replace("\\\n", " ")
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def constants() -> Dict[str, int]:
    """Every #define CORBEL_... with a number, without the prefix."""
    found = re.findall(r"#define CORBEL_(\w+) +\(?(-?(?:0x)?[0-9a-f]+)u?\)?", _text())
    return {name: int(number, 0) for name, number in found}


def structs() -> Dict[str, List[str]]:
    """Members of every complete struct, by its name without corbel_."""
    found: Dict[str, List[str]] = {}
    for name, body in re.findall(r"typedef struct corbel_(\w+) \{(.*?)\}", _text(), re.S):
        found[name] = re.findall(r"(\w+);", body)
    return found


def functions() -> Dict[str, Tuple[str, List[str]]]:
    """Result and parameter types of every exported function."""
    found = {}
    for result, name, parameters in re.findall(r"CORBEL_API ([^;]*?)(corbel_\w+)\(([^;]*)\);", _text(), re.S):
        kinds = [_kind(parameter) for parameter in parameters.split(",") if parameter.strip() != "void"]
        found[name] = (_kind(result + " result"), kinds)
    return found


def _kind(declaration: str) -> str:
    """A parameter's type as far as the calling convention cares."""
    words = declaration.replace("const ", "").split()
    name = words[-1]
    kind = " ".join(words[:-1]) + "*" * name.count("*")
    if kind in ("char*", "char *"):
        return "text"
    if kind.endswith("_fn"):
        return "callback"
    return "pointer" if "*" in kind else kind
