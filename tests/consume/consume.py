#!/usr/bin/env python3
"""Installs a build into a folder and uses it from outside: find_package from C and from C++, pkg-config, dlopen; and all of it
again after the folder was moved.

Usage: consume.py <build folder>"""
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / "lessons"))
from private_redis import PrivateRedis  # noqa: E402

root = here.parents[1]
passed = failed = 0


def check(name, ok, text=""):
    global passed, failed
    print(f"{'ok' if ok else 'FAILED'} {name}" + ("" if ok else f"\n{text}"), flush=True)
    passed, failed = passed + bool(ok), failed + (not ok)


def run(*argv, **environment):
    """Output of a command; its failure is a text that contains none of what is expected."""
    done = subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(os.environ, **environment))
    return done.stdout if done.returncode == 0 else f"exit status {done.returncode} of {' '.join(argv)}\n{done.stdout}".replace("PONG", "P-ONG")


def with_cmake(language, prefix, url, folder):
    build = folder / f"build-{language}"
    text = run("cmake", "-G", "Ninja", "-S", str(here / language), "-B", str(build), f"-DCMAKE_PREFIX_PATH={prefix}")
    text += run("cmake", "--build", str(build))
    return text + run(str(build / "program"), url)


def with_pkg_config(prefix, url, folder):
    variables = {"PKG_CONFIG_PATH": str(next(prefix.glob("lib*/**/pkgconfig"))), "PKG_CONFIG_ALLOW_SYSTEM_CFLAGS": "1"}
    flags = run("pkg-config", "--cflags", "--libs", "corbel", **variables)
    text = run("cc", "-std=c99", str(here / "c/program.c"), *shlex.split(flags), "-o", str(folder / "from-pkg-config"))
    version = run("pkg-config", "--modversion", "corbel", **variables)
    library = next(prefix.glob("lib*/**/libcorbel.so.0")).parent
    return text + version + run(str(folder / "from-pkg-config"), url, LD_LIBRARY_PATH=str(library))


def with_dlopen(prefix, folder):
    library = next(prefix.glob("lib*/**/libcorbel.so.0"))
    text = run("cc", "-std=c99", str(here / "c/loaded.c"), "-ldl", "-o", str(folder / "loaded"))
    return text + run(str(folder / "loaded"), str(library))


def use(prefix, where, url):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for language in ("c", "cpp"):
            text = with_cmake(language, prefix, url, folder)
            check(f"find_package from {language}, {where}", text.endswith("\nPONG\n"), text)
        text = with_pkg_config(prefix, url, folder)
        check(f"pkg-config, {where}", text.endswith("0.1.0\nPONG\n"), text)
        text = with_dlopen(prefix, folder)
        check(f"dlopen, {where}", text == "version 00010000\n", text)


def check_contents(prefix, build):
    files = {str(p.relative_to(prefix)) for p in prefix.rglob("*") if not p.is_dir()}
    headers = {f"include/{p.relative_to(root / 'include')}" for p in (root / "include").rglob("*.h*")}
    installed = {f for f in files if f.startswith("include/")}
    check("the public headers are installed, no others", installed == headers, f"{sorted(installed ^ headers)}")
    for program in ("corbel-git", "corbel-run"):
        check(f"the program {program} is installed", os.access(prefix / "libexec" / program, os.X_OK), f"{sorted(files)}")
    check("the licence is installed", "share/doc/corbel/LICENSE" in files, f"{sorted(files)}")
    held = [f for f in sorted(files) if f.endswith((".cmake", ".pc")) and
            any(folder in (prefix / f).read_text() for folder in (str(prefix), str(build), str(root)))]
    check("no file of the package names a folder of this machine", not held, f"{held}")


with tempfile.TemporaryDirectory() as name, PrivateRedis() as redis:
    build = pathlib.Path(sys.argv[1]).resolve()
    prefix = pathlib.Path(name, "first")
    text = run("cmake", "--install", str(build), "--prefix", str(prefix))
    check("cmake --install", prefix.is_dir() and "exit status" not in text, text)
    check_contents(prefix, build)
    use(prefix, "where it was installed", redis.url)
    moved = pathlib.Path(name, "moved elsewhere")
    shutil.move(prefix, moved)
    use(moved, "after it was moved", redis.url)
print(f"cases: {passed} passed, {failed} failed")
sys.exit(failed > 0)
