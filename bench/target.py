"""What every target has: defaults for the parts that only some of them need."""
import contextlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Extra:
    """A further column of a target's table: a value that `watch` put into each run."""
    key: str
    head: str
    form: str = "{:.2f}"
    factor: float = 1.0
    worst: bool = False  # the largest of all rounds, not the median


class Target:
    name = title = ""
    workloads = ()  # names of those it is made for
    extras = ()
    own_clock = False  # the arms print the seconds that count

    def watch(self, _workload):
        """Around the clock of one run: the dictionary it gives is kept with the run, filled when the run has ended."""
        return contextlib.nullcontext({})

    def finish(self, _arm):
        return None

    def environment(self):
        return None

    def server_cpu(self):
        return None

    def remarks(self, _result):
        """(lines below the table, aims as aims.aim makes them)"""
        return [], []
