#!/usr/bin/env python3
"""Every C header compiles alone, as C99 and as C++20, without a warning and without padding in any struct; two translation
units that include all of them link, in C, in C++ and mixed. Every C++ header compiles alone too.

Usage: headers.py <include folder>; the compilers are $CC and $CXX."""
import os
import pathlib
import subprocess
import sys
import tempfile

include = pathlib.Path(sys.argv[1]).resolve()
CC, CXX = os.environ.get("CC", "cc"), os.environ.get("CXX", "c++")
STRICT = ["-Wall", "-Wextra", "-pedantic", "-Wpadded", "-Werror", f"-I{include}"]
C = [CC, "-std=c99", "-Wstrict-prototypes", *STRICT]
CPP = [CXX, "-std=c++20", *STRICT]
failed = 0
passed = 0


def check(name, argv, source=None):
    global failed, passed
    run = subprocess.run(argv, input=source, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if run.returncode == 0:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name}: {' '.join(argv)}\n{run.stdout}")


c_headers = [include / "corbel.h", *sorted((include / "corbel/c").glob("*.h"))]
cpp_headers = sorted((include / "corbel").glob("*.hpp")) + sorted((include / "corbel/detail").glob("*.hpp"))
if len(c_headers) < 2 or not cpp_headers:
    sys.exit(f"no headers under {include}")
for header in c_headers:
    name = header.relative_to(include)
    check(f"{name} as C99", [*C, "-fsyntax-only", "-xc", "-"], f"#include <{name}>\n#include <{name}>\n")
    check(f"{name} as C++20", [*CPP, "-fsyntax-only", "-xc++", "-"], f"#include <{name}>\n#include <{name}>\n")
for header in cpp_headers:
    name = header.relative_to(include)
    check(str(name), [CXX, "-std=c++20", "-Wall", "-Wextra", "-Werror", f"-I{include}", "-fsyntax-only", "-xc++", "-"],
          f"#include <{name}>\n#include <{name}>\n")

UNIT = "#include <corbel.h>\nconst void *{0}(void);\nconst void *{0}(void) {{ static const corbel_call c = {{0}}; return &c; }}\n"
with tempfile.TemporaryDirectory() as folder:
    units = {}
    for language, argv, suffix in (("c", C, "c"), ("cpp", CPP, "cpp")):
        for unit in ("a", "b"):
            source = pathlib.Path(folder, f"{unit}.{suffix}")
            source.write_text(UNIT.format(f"{unit}_{suffix}").replace("{0}", "{}" if suffix == "cpp" else "{0}"))
            units[unit, language] = str(source.with_suffix(f".{suffix}.o"))
            check(f"unit {source.name}", [*argv, "-Wno-missing-field-initializers", "-c", str(source), "-o", units[unit, language]])
    main = pathlib.Path(folder, "main.c")
    main.write_text("#include <corbel.h>\nint main(void) { return (int)sizeof(corbel_event) - 64; }\n")
    for pair in (("c", "c"), ("cpp", "cpp"), ("c", "cpp")):
        check(f"link {' with '.join(pair)}", [CXX, "-xc", str(main), "-xnone", f"-I{include}", units["a", pair[0]],
                                              units["b", pair[1]], "-o", str(pathlib.Path(folder, "program"))])
        check("run", ["sh", "-c", str(pathlib.Path(folder, "program"))])
print(f"cases: {passed} passed, {failed} failed")
sys.exit(failed > 0)
