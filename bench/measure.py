"""Runs processes under a clock: wall time, CPU and memory of the process tree, and what disturbed the machine.

Memory is the largest process of the tree, as wait4 tells it. A process starts as a copy of this harness and Linux
counts that, so no figure can be below `rss_floor_bytes`.
"""
import contextlib
import os
import resource
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

from processes import TICK


@dataclass
class Measurement:
    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    rss_floor_bytes: int
    steal_seconds: float
    machine_cpu_seconds: float
    failure: str | None
    stdout: str


def machine_cpu():
    """(busy, steal) CPU seconds of the whole machine since boot."""
    with open("/proc/stat") as stat:
        user, nice, system, _, _, irq, softirq, steal = (int(x) / TICK for x in stat.readline().split()[1:9])
    return user + nice + system + irq + softirq, steal


def own_cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def start(commands, env, log):
    processes = []
    for number, command in enumerate(commands):
        out, err = open(f"{log}.{number}.out", "wb"), open(f"{log}.{number}.err", "wb")
        with out, err:
            processes.append(subprocess.Popen([str(part) for part in command], env=env, stdin=subprocess.DEVNULL,
                                              stdout=out, stderr=err, start_new_session=True))
    return processes


def kill(processes):
    """Ends the process groups that this module started."""
    for process in processes:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def reap(processes, timeout):
    """Waits for all. Returns CPU seconds, peak memory and whether the time ran out."""
    expired = threading.Event()
    timer = threading.Timer(timeout, lambda: (expired.set(), kill(processes)))
    timer.start()
    cpu = peak = 0
    try:
        for process in processes:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            cpu += usage.ru_utime + usage.ru_stime
            peak = max(peak, usage.ru_maxrss * 1024)
    except BaseException:
        kill(processes)
        raise
    finally:
        timer.cancel()
    return cpu, peak, expired.is_set()


def read_log(log, number, kind):
    with open(f"{log}.{number}.{kind}", encoding="utf-8", errors="replace") as file:
        return file.read().strip()


def error_line(text):
    """The line that says what went wrong: the last with an error in it, as context may follow; or the last."""
    lines = text.splitlines() or ["no message"]
    return next((line for line in reversed(lines) if "error" in line.lower()), lines[-1])


def failure_of(processes, log, expired, timeout):
    if expired:
        return f"stopped after {timeout:g} s"
    for number, process in enumerate(processes):
        if process.returncode:
            return f"exit {process.returncode}: {error_line(read_log(log, number, 'err'))[:200]}"
    return None


def timed(commands, env, log, timeout, finish=None):
    """Runs all commands at once. The clock stops when the last has ended and `finish` has synced the result."""
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    busy, steal = machine_cpu()
    own = own_cpu()
    began = time.perf_counter()
    processes = start(commands, env, log)
    cpu, peak, expired = reap(processes, timeout)
    failure = failure_of(processes, log, expired, timeout)
    if finish and not failure:
        try:
            finish()
        except OSError as error:
            failure = f"no result to sync: {error.strerror}"
    seconds = time.perf_counter() - began
    busy_after, steal_after = machine_cpu()
    return Measurement(seconds, cpu, peak, floor, steal_after - steal,
                       busy_after - busy - (own_cpu() - own), failure, read_log(log, 0, "out"))
