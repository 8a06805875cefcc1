"""What the results were measured on and with."""
import json
import os
import platform
import re
import subprocess

from shell import run


def first_match(path, pattern):
    try:
        with open(path) as file:
            found = re.search(pattern, file.read(), re.MULTILINE)
        return found.group(1).strip() if found else None
    except OSError:
        return None


def file_system(path):
    """Type of the file system that holds path: tmpfs would make every sync free."""
    best, kind = "", "unknown"
    path = os.path.realpath(path)
    with open("/proc/mounts") as mounts:
        for line in mounts:
            _, point, found, *_ = line.split()
            inside = path == point or path.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best):
                best, kind = point, found
    return kind


def describe(work):
    return {
        "cpu": first_match("/proc/cpuinfo", r"^model name\s*:\s*(.*)$") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(first_match("/proc/meminfo", r"^MemTotal:\s*(\d+)")) / 2**20, 1),
        "virtual": bool(first_match("/proc/cpuinfo", r"^flags\s*:.*\b(hypervisor)\b")),
        "kernel": platform.release(),
        "system": (first_match("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)') or "unknown"),
        "file_system": file_system(work),
    }


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if done.returncode == 0 and lines else None


def version_of(command):
    """The first thing in a program's first line that looks like a version, or the line."""
    line = first_line(command)
    found = re.search(r"\d+(\.\d+)+\S*", line or "")
    return found.group() if found else line


PACKAGES = ("pyarrow", "duckdb", "adbc-driver-sqlite", "adbc-driver-postgresql", "pgpq", "psycopg", "psycopg2-binary",
            "pandas", "SQLAlchemy")


def versions(options, root):
    script = ("import importlib.metadata as m, json, sys; "
              "print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))")
    found = json.loads(run([options.python, "-c", script, *PACKAGES]))
    if options.spark_python:
        found["pyspark"] = json.loads(run([options.spark_python, "-c", script, "pyspark"]))["pyspark"]
        found["pgjdbc"] = version_of(["basename", options.spark_jar, ".jar"])
        found["java"] = version_of(["java", "--version"])
    found["python"] = version_of([str(options.python), "--version"])
    found["sqlite3"] = version_of(["sqlite3", "--version"])
    found["psql"] = version_of(["psql", "--version"])
    found["headrace"] = version_of([str(options.headrace), "version"])
    found["commit"] = first_line(["git", "-C", str(root), "describe", "--always", "--dirty"])
    return found
