#!/usr/bin/env python3
"""Who may include whom. Prints file:line and the broken rule; exit 1 if there is one, or if there is nothing to check.

    check_includes.py [--root DIR]     checks the tree (default: the repository this script lies in)
    check_includes.py --self-test      checks the checker on small cases, among them every way to fail

Includes are written relative to src/ ("encode/codec.h"); public headers as "headrace/load.h". tests/ and fuzz/ look inside
everything and are not checked. To allow something new, change one of the three tables below.
"""

import argparse
import pathlib
import re
import sys

# Our own headers. Folder of the including file (longest match holds) -> what it may include, by beginning of the path.
# A name ending in "/" is everything below, otherwise that one header.
MAY_INCLUDE = {
    "include/headrace": ["headrace/"],
    "src/base": ["headrace/", "base/"],
    "src/source": ["headrace/", "base/", "source/"],
    "src/encode": ["headrace/", "base/", "encode/"],
    "src/plan": ["headrace/", "base/", "plan/", "encode/codec.h"],
    "src/sink": ["headrace/", "base/", "sink/", "encode/row_block.h", "encode/format/"],
    "src/run": ["headrace/", "base/", "source/", "encode/", "plan/", "sink/", "run/", "aws/"],
    "src/aws": ["headrace/", "base/", "aws/"],
    "cli": ["headrace/", "cli/"],
    "capi": ["headrace/", "capi/", "cli/"],
    "python": ["headrace/", "python/"],
    "examples": ["headrace/", "examples/"],
    "bench": ["headrace/", "bench/"],
}

# Taken away again from the table above.
MAY_NOT_INCLUDE = {
    "src/sink/postgres": ["sink/sqlite/"],
    "src/sink/sqlite": ["sink/postgres/"],
}

# Headers of others, with <> or "" -> the folders that may include them.
THIRD_PARTY = {
    "arrow/": ["src/source", "bench"],  # bench reads its own input; the library does it in one place
    "parquet/": ["src/source", "bench"],
    "libpq-fe.h": ["src/sink/postgres"],
    "libpq/": ["src/sink/postgres"],
    "sqlite3.h": ["src/sink/sqlite", "src/source", "bench"],
    "nlohmann/": ["src/plan", "src/run", "src/sink/sqlite/set_manifest.cc", "cli", "capi"],
    "CLI/": ["cli"],
    "fmt/": ["src", "cli", "capi", "bench"],
    "spdlog/": ["src/base", "src/run", "cli"],
    "fast_float/": ["src/base", "src/source", "src/encode"],
    "geos_c.h": ["src/encode"],
    "openssl/": ["src/base", "src/aws"],
    "curl/": ["src/aws"],
    "zlib.h": ["src/source", "src/aws"],
    "zstd.h": ["src/source"],
    "benchmark/": ["bench"],
}

# The C++ standard library has no dot and no slash in its names; these are the C headers that may be meant instead.
C_STANDARD = {
    name + ".h"
    for name in "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg"
    " stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype".split()
}
# The operating system: for everything but the public headers.
SYSTEM = {
    name + ".h"
    for name in "arm_neon cpuid dirent dlfcn fcntl fnmatch emmintrin getopt glob grp ifaddrs immintrin libgen netdb poll pthread pwd"
    " sched semaphore smmintrin spawn strings syslog termios tmmintrin unistd x86intrin".split()
}
SYSTEM_FOLDERS = ("sys/", "linux/", "netinet/", "arpa/", "net/")

CHECKED_ROOTS = ("include", "src", "cli", "capi", "python", "examples", "bench")
OURS = ("headrace/", "base/", "source/", "encode/", "plan/", "sink/", "run/", "aws/")
ENDINGS = {".h", ".hpp", ".hh", ".ipp", ".inc", ".c", ".cc", ".cpp", ".cxx"}

INCLUDE = re.compile(r"^[ \t]*#[ \t]*(?:include|include_next|import)\b[ \t]*(.*)$")
NAMED = re.compile(r"""^(?:<([^>]+)>|"([^"]+)")""")


def is_below(path, folder):
    return path == folder or path.startswith(folder + "/")


def matches(name, allowed):
    return any(name.startswith(a) if a.endswith("/") else name == a for a in allowed)


def longest(path, table):
    """The key of `table` that is the innermost folder of `path`, or None."""
    return max((folder for folder in table if is_below(path, folder)), key=len, default=None)


def without_block_comments(text):
    """Blanks /* ... */ out, line by line, so that line numbers stay; strings and // comments are left as they are."""
    token = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?(?:\*/|\Z)', re.S)
    return token.sub(lambda m: "\n" * m[0].count("\n") if m[0].startswith("/*") else m[0], text)


def broken_rule(path, name, angled):
    """What is wrong with #include `name` in the file `path` (both with /), or None."""
    if not angled and name.startswith(("./", "../")) or "/../" in name:
        return f'"{name}": write it relative to src/, without ..'

    third_party = next((key for key in THIRD_PARTY if matches(name, [key])), None)
    if third_party:
        folders = THIRD_PARTY[third_party]
        if any(is_below(path, folder) for folder in folders):
            return None
        return f"{name}: only {', '.join(folders)} may include {third_party}"

    folder = longest(path, MAY_INCLUDE)
    if folder is None:
        return f"no rule for the folder of {path}: add it to MAY_INCLUDE"

    if angled:
        if name.startswith(OURS):
            return f'<{name}>: our own headers are included with ""'
        if "/" not in name and "." not in name or name in C_STANDARD:
            return None
        if name in SYSTEM or name.startswith(SYSTEM_FOLDERS):
            return f"<{name}>: public headers include the standard library only" if folder == "include/headrace" else None
        return f"<{name}>: unknown header: add it to THIRD_PARTY or SYSTEM"

    if name.startswith(OURS):
        barred = longest(path, MAY_NOT_INCLUDE)
        if barred and matches(name, MAY_NOT_INCLUDE[barred]):
            return f'"{name}": {barred} must not include {" ".join(MAY_NOT_INCLUDE[barred])}'
        if matches(name, MAY_INCLUDE[folder]):
            return None
        return f'"{name}": {folder} may include only {" ".join(MAY_INCLUDE[folder])}'
    if is_below(folder, "src") or is_below(folder, "include"):
        return f'"{name}": write it relative to src/, public ones as "headrace/x.h"'
    # cli, python, examples, bench: something of their own, next to the file or below the folder.
    if "/" in name and name.split("/")[0] in CHECKED_ROOTS and not matches(name, MAY_INCLUDE[folder]):
        return f'"{name}": {folder} may include only {" ".join(MAY_INCLUDE[folder])}'
    return None


def check_file(path, text):
    """Yields (line number, rule broken) for the file at `path`, relative to the repository."""
    for number, line in enumerate(without_block_comments(text).splitlines(), 1):
        directive = INCLUDE.match(line)
        if not directive:
            continue
        named = NAMED.match(directive[1])
        if not named:
            yield number, f"#include {directive[1].strip()}: cannot tell which header this is"
            continue
        rule = broken_rule(path, named[1] or named[2], angled=bool(named[1]))
        if rule:
            yield number, rule


def check(files):
    """`files`: pairs of path and text. Returns (number of files, complaints as lines of text)."""
    count, complaints = 0, []
    for path, text in files:
        count += 1
        complaints += [f"{path}:{number}: {rule}" for number, rule in check_file(path, text)]
    if count == 0:
        complaints.append(f"nothing to check: no C or C++ file under {', '.join(CHECKED_ROOTS)}")
    return count, complaints


def files_of(root):
    for top in CHECKED_ROOTS:
        for path in sorted((root / top).rglob("*")):
            if path.suffix in ENDINGS and path.is_file():
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8", errors="replace")


# path, one line of code, does it break a rule?
CASES = [
    ("include/headrace/load.h", "#include <string>", False),
    ("include/headrace/load.h", "#include <stdint.h>", False),
    ("include/headrace/load.h", '#include "headrace/result.h"', False),
    ("include/headrace/load.h", "#include <unistd.h>", True),
    ("include/headrace/load.h", "#include <sys/types.h>", True),
    ("include/headrace/load.h", "#include <arrow/api.h>", True),
    ("include/headrace/load.h", "#include <sqlite3.h>", True),
    ("include/headrace/load.h", '#include "base/buffer.h"', True),
    ("include/headrace/load.h", "#include <fmt/format.h>", True),
    ("src/base/buffer.h", '#include "headrace/result.h"', False),
    ("src/base/buffer.h", '#include "base/endian.h"', False),
    ("src/base/buffer.cc", "#include <sys/mman.h>", False),
    ("src/base/buffer.h", '#include "encode/codec.h"', True),
    ("src/source/parquet.cc", "#include <arrow/api.h>", False),
    ("src/source/parquet.cc", "#include <parquet/arrow/reader.h>", False),
    ("src/source/sqlite.cc", "#include <sqlite3.h>", False),
    ("src/source/parquet.cc", '#include "encode/codec.h"', True),
    ("src/source/parquet.cc", "#include <libpq-fe.h>", True),
    ("src/encode/types/date.cc", '#include "encode/codec.h"', False),
    ("src/encode/types/date.cc", "#include <arrow/type.h>", True),
    ("src/encode/types/date.cc", '#include "arrow/type.h"', True),
    ("src/encode/types/date.cc", '#include "sink/sink.h"', True),
    ("src/plan/planner.cc", '#include "plan/planner.h"', False),
    ("src/plan/planner.cc", '#include "encode/codec.h"', False),
    ("src/plan/planner.cc", '#include "encode/codec_helpers.h"', True),
    ("src/plan/planner.cc", '#include "encode/format/text.h"', True),
    ("src/plan/plan_json.cc", "#include <nlohmann/json.hpp>", False),
    ("src/sink/postgres/copy.cc", "#include <libpq-fe.h>", False),
    ("src/sink/postgres/copy.cc", '#include "encode/row_block.h"', False),
    ("src/sink/postgres/copy.cc", '#include "encode/format/pg_binary.h"', False),
    ("src/sink/postgres/copy.cc", '#include "encode/codec.h"', True),
    ("src/sink/postgres/copy.cc", '#include "sink/sqlite/catalog.h"', True),
    ("src/sink/postgres/copy.cc", "#include <sqlite3.h>", True),
    ("src/sink/postgres/copy.cc", "#include <nlohmann/json.hpp>", True),
    ("src/sink/sqlite/ddl.cc", "#include <sqlite3.h>", False),
    ("src/sink/sqlite/ddl.cc", '#include "sink/sink.h"', False),
    ("src/sink/sqlite/ddl.cc", '#include "sink/postgres/ddl.h"', True),
    ("src/sink/sqlite/ddl.cc", "#include <libpq-fe.h>", True),
    ("src/sink/sinks.cc", '#include "sink/postgres/postgres_sink.h"', False),
    ("src/sink/sinks.cc", "#include <libpq-fe.h>", True),
    ("src/run/load.cc", '#include "sink/sqlite/ddl.h"', False),
    ("src/run/load.cc", '#include "encode/codec_helpers.h"', False),
    ("src/run/load.cc", '#include "load.h"', True),
    ("src/run/load.cc", '#include "../sink/sink.h"', True),
    ("src/run/load.cc", "#include <base/buffer.h>", True),
    ("src/run/load.cc", "#include <CLI/CLI.hpp>", True),
    ("src/run/load.cc", "#include <boost/any.hpp>", True),
    ("src/run/load.cc", "#include HEADER", True),
    ("src/sinks/sink.h", "#include <string>", True),
    ("cli/main.cc", '#include "headrace/load.h"', False),
    ("cli/main.cc", '#include "commands.h"', False),
    ("cli/main.cc", '#include "cli/commands.h"', False),
    ("cli/main.cc", "#include <CLI/CLI.hpp>", False),
    ("cli/main.cc", '#include "base/buffer.h"', True),
    ("cli/main.cc", '#include "src/base/buffer.h"', True),
    ("capi/c_api.cc", '#include "run/load.h"', True),
    ("capi/c_api.cc", '#include "options.h"', False),
    ("examples/load.cc", '#include "headrace/load.h"', False),
    ("examples/load.cc", '#include "plan/planner.h"', True),
    ("bench/encode.cc", '#include "encode/codec.h"', True),
    ("bench/encode.cc", "#include <benchmark/benchmark.h>", False),
    ("bench/encode.cc", "#include <arrow/api.h>", False),
    ("src/run/load.cc", "#include <arrow/api.h>", True),
    # how an include may be written, and what only looks like one
    ("src/base/a.h", '  #  include   "encode/codec.h"  // why', True),
    ("src/base/a.h", '// #include "encode/codec.h"', False),
    ("src/base/a.h", '/* #include "encode/codec.h" */', False),
    ("src/base/a.h", '/* a */ int x; /*\n#include "encode/codec.h"\n*/', False),
    ("src/base/a.h", 'auto s = "/*";\n#include "encode/codec.h"\nauto t = "*/";', True),
    ("src/base/a.h", "#included_by_nobody", False),
]


def self_test():
    failures = []
    for path, text, breaks in CASES:
        complaints = list(check_file(path, text))
        if bool(complaints) != breaks:
            failures.append(f"{path}: {text!r}: expected {'a complaint' if breaks else 'none'}, got {complaints}")

    count, complaints = check([("src/base/a.h", '#pragma once\n\n/*\n*/\n#include "run/load.h"\n'), ("src/base/b.h", "")])
    if count != 2 or len(complaints) != 1 or not complaints[0].startswith('src/base/a.h:5: "run/load.h": src/base may'):
        failures.append(f"line number: got {complaints}")
    if check([])[1] == []:
        failures.append("nothing to check: expected a complaint")

    print(*failures, sep="\n", end="\n" if failures else "")
    print(f"check_includes --self-test: {len(CASES) + 2} cases, {len(failures)} failed")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    count, complaints = check(files_of(arguments.root))
    print(*complaints, sep="\n", end="\n" if complaints else "")
    print(f"check_includes: {count} files, {len(complaints)} rules broken")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
