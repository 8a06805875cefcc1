#!/usr/bin/env python3
"""Measures headrace and its peers on the same data in the same rounds: make bench, or bench/run.py --help."""
import argparse
import hashlib
import json
import os
import shlex
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

import entity_workload
import geopackage_target
import machine
import markdown
import summary
import workloads
from arms import missing
from encode_target import EncodeTarget
from memory_target import MemoryTarget
from postgres_tables import PostgresTables
from postgres_target import PostgresTarget
from replace_target import ReplaceTarget
from rounds import run_rounds
from scaling_target import ScalingTarget
from shell import BenchError, run, say
from sqlite_target import SqliteTarget
from workloads import BENCH, ROOT

TARGETS = ("sqlite", "memory", "geopackage", "postgres", "encode", "scaling", "replace")
WORKLOADS = {**workloads.WORKLOADS, **entity_workload.WORKLOADS, **geopackage_target.WORKLOADS}
# The workloads of a target when none is asked for: of scaling only the one whose aims it has.
DEFAULTS = {"scaling": ("lineitem",)}
BUILD_HINT = "cmake --preset release, or --peers-only"


def cache_folder():
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("HEADRACE_CACHE") or Path(home) / "headrace")


def names(allowed):
    def parse(text):
        chosen = text.split(",")
        if unknown := set(chosen) - set(allowed):
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))} (known: {', '.join(allowed)})")
        return chosen
    return parse


def absolute(text):
    # Not resolved: the python of a virtual environment is a link that has to stay one.
    return Path(os.path.abspath(text))


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/run.py", description=__doc__)
    add = parser.add_argument
    add("--workload", type=names(list(WORKLOADS)), help=f"of {','.join(WORKLOADS)}; default all that a target has")
    add("--target", type=names(TARGETS), default=list(TARGETS), help=f"of {','.join(TARGETS)}; default all")
    add("--arms", type=lambda text: text.split(","), help="only these arms, see --list")
    add("--spark", action="store_true", help="Spark's arms too: 320 MB to download, needs Java 17 and Maven")
    add("--list", action="store_true", help="print the arms and stop")
    add("--repeats", type=int, default=5, help="rounds; default 5")
    add("--quick", action="store_true", help="one round")
    add("--peers-only", action="store_true", help="leave our own arms out")
    add("--headrace", type=absolute, default=ROOT / "build/release/headrace", help="the program")
    add("--bench-encode", type=absolute, default=ROOT / "build/release/bench_encode", help="the encoder alone")
    add("--bench-sqlite", type=absolute, default=ROOT / "build/release/bench_sqlite", help="SQLite from batches in memory")
    add("--headrace-args", type=shlex.split, default=[], help="more arguments for every headrace load")
    add("--connections", default="auto", help="of the second PostgreSQL arm; default auto")
    add("--scale", default="1", help="scale factor of lineitem; default 1")
    add("--lineitem", type=absolute, help="a lineitem Parquet file of that scale; default by scripts/fetch_data.sh")
    add("--lineitem-csv", type=absolute, help="the same as CSV without header; default by tpchgen-cli")
    add("--flights", type=absolute, help="flights-3m.parquet; default by scripts/fetch_data.sh")
    add("--entity-rows", type=int, default=100_000, help="rows of the entity workloads; default 100000")
    add("--python", type=absolute, default=cache_folder() / "venv-bench/bin/python",
        help="the python that has bench/requirements.txt")
    add("--work", type=absolute, default=ROOT / "build/bench/work",
        help="prepared files, server, what the arms write (15 GB)")
    add("--output", type=absolute, default=ROOT / "build/bench/results.json", help="every single run as JSON")
    add("--server-script", type=absolute, default=ROOT / "tests/servers/postgres.sh",
        help="starts and stops PostgreSQL")
    add("--shared-buffers", default="4GB", help="of that server; default 4GB")
    add("--timeout", type=float, default=900, help="seconds after which a run is ended; default 900")
    options = parser.parse_args()
    options.spark_python = options.spark_jar = None  # set when an arm needs them
    if options.quick:
        options.repeats = 1
    if options.repeats < 1:
        parser.error("--repeats must be at least 1")
    if options.entity_rows < 1:
        parser.error("--entity-rows must be at least 1")
    return options


def make_targets(options):
    tables = PostgresTables(options)
    postgres = [kind(options, tables) for kind in (PostgresTarget, EncodeTarget, ScalingTarget, ReplaceTarget)]
    files = [kind(options) for kind in (SqliteTarget, MemoryTarget, geopackage_target.GeoPackageTarget)]
    return {target.name: target for target in (*files, *postgres)}, tables


def chosen_workloads(options, target):
    asked = options.workload or DEFAULTS.get(target.name, target.workloads)
    return [name for name in WORKLOADS if name in asked and name in target.workloads]


def is_wanted(options, arm, workload):
    if options.arms:
        asked = arm.name in options.arms
    else:
        asked = options.spark or not arm.spark
    return asked and (not arm.workloads or workload in arm.workloads)


def choose(options, target, workload):
    """(arms to run, arm name -> why not), from what was asked for and what is built."""
    wanted = [arm for arm in target.arms() if is_wanted(options, arm, workload)]
    binary = {"encode": options.bench_encode, "memory": options.bench_sqlite}.get(target.name, options.headrace)
    absent = "--peers-only" if options.peers_only else missing(binary, BUILD_HINT)
    skipped = {arm.name: absent for arm in wanted if arm.ours and absent}
    return wanted, skipped


def check(options, targets):
    """Stops before anything is prepared: hours of peers without ourselves help nobody."""
    known = {arm.name for target in targets.values() for arm in target.arms()}
    if unknown := set(options.arms or ()) - known:
        raise BenchError(f"no such arm: {', '.join(sorted(unknown))}; see --list")
    chosen = [choose(options, targets[name], workload)
              for name in options.target for workload in chosen_workloads(options, targets[name])]
    for why in (why for _, skipped in chosen for why in skipped.values()):
        if not options.peers_only:
            raise BenchError(why)
    if not any(arms for arms, _ in chosen):
        raise BenchError("nothing to run: none of these targets has such a workload or arm; see --list")
    if not options.python.is_file():
        run([ROOT / "scripts/install_dependencies.sh", "bench"])
    if any(arm.spark for arms, _ in chosen for arm in arms):
        options.spark_python, options.spark_jar = run([BENCH / "fetch_spark.sh"]).splitlines()[-2:]


def portable(options):
    """Commands as they are kept in the results: without the paths of this machine."""
    places = ((options.work, "WORK"), (options.python.parent, "VENV"), (ROOT, "."))

    def shown(part):
        for path, name in places:
            part = part.replace(str(path), name)
        return Path(part).name if part.startswith("/") else part
    return lambda command: shlex.join(shown(str(part)) for part in command)


def measure(options, target, workload):
    arms, skipped = choose(options, target, workload.name)
    running = [arm for arm in arms if arm.name not in skipped]
    target.prepare(workload, running)
    runs = run_rounds(target, workload, running, options, portable(options))
    with open(workload.source, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    result = {"target": target.name, "title": target.title, "workload": workload.name, "repeats": options.repeats,
              "rows": workload.facts()["rows"], "source_bytes": workload.source.stat().st_size,
              "source_sha256": sha256, "cores": len(os.sched_getaffinity(0)), "settings": target.settings(),
              "extras": [asdict(extra) for extra in target.extras],
              "arms": summary.of_target(workload, arms, runs, skipped, target.extras), "runs": runs}
    result["remarks"], result["aims"] = target.remarks(result)
    return result


def write_results(options, results):
    options.output.parent.mkdir(parents=True, exist_ok=True)
    temporary = options.output.with_name(options.output.name + ".part")
    temporary.write_text(json.dumps(results, indent=1) + "\n")
    os.replace(temporary, options.output)


def benchmark(options, targets):
    check(options, targets)
    options.work.mkdir(parents=True, exist_ok=True)
    results = {"schema_version": 1, "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
               "machine": machine.describe(options.work), "versions": machine.versions(options, ROOT),
               "options": {"repeats": options.repeats, "connections": options.connections, "scale": options.scale,
                           "entity_rows": options.entity_rows, "headrace_args": options.headrace_args,
                           "timeout_seconds": options.timeout}, "results": []}
    if results["machine"]["file_system"] == "tmpfs":
        say(f"warning: {options.work} is in memory, where a sync costs nothing; choose --work on a disk")
    try:
        for target in (targets[name] for name in options.target):
            for workload in chosen_workloads(options, target):
                if choose(options, target, workload)[0]:
                    results["results"].append(measure(options, target, WORKLOADS[workload](options)))
    finally:
        # What is complete is kept when a later part fails or is interrupted.
        if results["results"]:
            write_results(options, results)
            print(markdown.document(results), flush=True)
    return all(line["status"] == "proven" for result in results["results"] for line in result["arms"]
               if line["ours"] and not options.peers_only)


def close(parts):
    for part in parts:
        try:
            part.close()
        except BenchError as error:
            say(f"bench: {error}")


def interrupted(_signal, _frame):
    raise KeyboardInterrupt


def main():
    options = parse_arguments()
    signal.signal(signal.SIGTERM, interrupted)
    targets, tables = make_targets(options)
    if options.list:
        for name in options.target:
            for arm in targets[name].arms():
                only = f"{'/'.join(arm.workloads)} only" if arm.workloads else ""
                notes = "; ".join(note for note in (only, arm.note) if note)
                print(f"{name:9} {arm.name:14} {arm.label}{' (' + notes + ')' if notes else ''}")
        return 0
    try:
        return 0 if benchmark(options, targets) else 1
    except BenchError as error:
        say(f"bench: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        close([targets[name] for name in ("sqlite", "memory", "geopackage", "encode")] + [tables])


if __name__ == "__main__":
    sys.exit(main())
