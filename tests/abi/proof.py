#!/usr/bin/env python3
"""Shows that the comparisons of abi.py and layout.py let an addition pass and catch a removal or a change."""
import pathlib
import re
import sys
import tempfile

from abi import compare, kept
from layout import compare as compare_layout, golden

sys.dont_write_bytecode = True


def once(pattern, replacement, text):
    changed, count = re.subn(pattern, replacement, text, count=1, flags=re.S)
    if count != 1 or changed == text:
        sys.exit(f"the dump holds nothing like {pattern}: does abidw write it differently now?")
    return changed


whole = kept.read_text()
cancel = r"    <function-decl name='corbel_cancel'.*?</function-decl>\n"
without_function = once(cancel, "", once(r"    <elf-symbol name='corbel_cancel'.*?/>\n", "", whole))
options = r"(<class-decl name='corbel_redis_options' size-in-bits=)'\d+'(.*?)"
last_member = r"      <data-member access='public' layout-offset-in-bits='(\d+)'>\s*<var-decl name='\w+' [^\n]*\n\s*</data-member>\n"
grown = re.search(options + r"(" + last_member + r")\s*</class-decl>", whole, re.S)
every_member = list(re.finditer(last_member, whole[grown.start():grown.end()], re.S))
shorter = whole.replace(every_member[-1].group(0), "", 1)
shorter = once(options, rf"\1'{every_member[-1].group(1)}'\2", shorter)

table = golden.read_text()
field = "corbel_redis_options.idle_ms 112 8\n"
assert field in table

with tempfile.TemporaryDirectory() as folder:
    def dumps(old, new):
        paths = pathlib.Path(folder, "old.abi"), pathlib.Path(folder, "new.abi")
        for path, text in zip(paths, (old, new)):
            path.write_text(text)
        return compare(*paths)[0]

    def tables(old, new):
        return not list(compare_layout(old, new))

    parameter = r"(<function-decl name='corbel_cancel'.*?<parameter type-id=)'\w+'"
    pointer = re.search(r"<pointer-type-def [^>]*id='(\w+)'", whole).group(1)
    checks = [
        ("the same library", dumps(whole, whole), True),
        ("a function more", dumps(without_function, whole), True),
        ("a function less", dumps(whole, without_function), False),
        ("a parameter of another type", dumps(whole, once(parameter, rf"\1'{pointer}'", whole)), False),
        ("an option struct that grew", dumps(shorter, whole), True),
        ("an option struct that lost a member", dumps(whole, shorter), False),
        ("the same layout", tables(table, table), True),
        ("a member more at the end", tables(table.replace("corbel_redis_options 136\n", "corbel_redis_options 128\n")
                                           .replace("corbel_redis_options.busy_poll_us 128 8\n", ""), table), True),
        ("a member less", tables(table, table.replace(field, "")), False),
        ("a member elsewhere", tables(table, table.replace(field, field.replace("112", "120"))), False),
        ("a struct that shrank", tables(table, table.replace("corbel_call 40\n", "corbel_call 32\n")), False),
    ]
wrong = [f"FAILED {name}: {'refused' if expected else 'let pass'}" for name, passed, expected in checks if passed != expected]
print("\n".join(wrong))
print(f"cases: {len(checks) - len(wrong)} passed, {len(wrong)} failed")
sys.exit(bool(wrong))
