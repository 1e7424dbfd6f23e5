"""README.md shows the programs of examples/readme word by word, and they do what it says against a private server.

Usage: readme.py <build folder>"""

import os
import pathlib
import re
import subprocess
import sys

from private_redis import PrivateRedis

ROOT = pathlib.Path(__file__).resolve().parents[2]

BUILD = pathlib.Path(sys.argv[1]).resolve()
LANGUAGES = {"c": "hello.c", "cpp": "hello.cpp", "python": "hello.py"}
problems = []

readme = (ROOT / "README.md").read_text()
for language, name in LANGUAGES.items():
    blocks = re.findall(rf"```{language}\n(.*?)```", readme, re.S)
    if blocks != [(ROOT / "examples" / "readme" / name).read_text()]:
        problems.append(f"README.md: its {language} example is not examples/readme/{name}")

for link in re.findall(r"\]\(([^)#:]+)\)", readme):
    if not (ROOT / link).exists():
        problems.append(f"README.md: {link} is not in the tree")

with PrivateRedis() as server:
    subprocess.run(["redis-cli", "-p", str(server.port), "SET", "greeting", "hello"], check=True, stdout=subprocess.DEVNULL)
    python = (ROOT / "examples/readme/hello.py").read_text().replace("localhost:6379", f"127.0.0.1:{server.port}")
    c = (ROOT / "examples/readme/hello.c").read_text().replace("localhost:6379", f"127.0.0.1:{server.port}")
    program = BUILD / "readme_c_here"
    subprocess.run(["cc", "-std=c99", "-x", "c", "-", "-o", str(program), f"-I{ROOT / 'include'}", f"-L{BUILD}", "-lcorbel", f"-Wl,-rpath,{BUILD}"],
                   input=c, text=True, check=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "bindings/python"), "CORBEL_LIBRARY": str(BUILD / "libcorbel.so.0")}
    for command in ([str(program)], [sys.executable, "-c", python]):
        run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
        if run.stdout != "hello\n":
            problems.append(f"{command[0]} printed {run.stdout!r} {run.stderr!r}, not 'hello'")

for problem in problems:
    print(problem)
sys.exit(1 if problems else 0)
