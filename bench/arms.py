"""An arm is one way of doing the job: a peer as its documentation shows it, ourselves, or a floor nobody goes below."""
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from workloads import BENCH


@dataclass(frozen=True)
class Arm:
    name: str
    label: str
    commands: Callable  # (workload, source) -> commands that run at the same time
    note: str = ""
    ours: bool = False
    yardstick: bool = True  # of ours: has a column of ratios that all others are compared in
    floor: bool = False  # no complete load, so it takes part in no ratio
    action: bool = False  # only the second of two loads in one process is timed, see action.py
    spark: bool = False  # needs what fetch_spark.sh fetches; runs only when asked for
    workloads: tuple = ()  # names of those it is made for; all if empty
    cannot: dict = field(default_factory=dict)  # workload -> why it is known to fail; it is tried all the same
    rows: dict = field(default_factory=dict)  # workload -> rows of the subset this arm gets
    inputs: Callable | None = None  # (workload, source) -> files it reads; the source if None

    def limit(self, workload):
        return self.rows.get(workload.name)

    def files(self, workload, source):
        return self.inputs(workload, source) if self.inputs else [source]

    @property
    def compares(self):
        return self.ours and self.yardstick and not self.floor


def peer(options, script, *arguments):
    return [[options.python, BENCH / "peers" / script, *arguments]]


def headrace(options, source, *arguments):
    # Progress would only cost; the report is kept with the result.
    return [[options.headrace, "load", source, *arguments, "--progress", "none", "--json", *options.headrace_args]]


def null_floor(options, workloads=()):
    return Arm("null", "floor: headrace to null:", ours=True, floor=True, workloads=workloads,
               note="decode and encode only; rows as it reports them", commands=lambda workload, source: headrace(
                   options, source, "--to", "null:", "--table", workload.table))


def missing(path, build_hint):
    """Why an arm cannot run, or None."""
    return None if Path(path).is_file() else f"{Path(path).name} is not built ({build_hint})"
