"""Times one action inside a running process: for peers whose start and warm-up would hide what they can do.

The process loads everything once, prints `ready` and waits; the harness puts the target back to its start, begins the
clock and writes a line; the process loads again and prints `done`, which stops the clock. Spark's own words on stdout
are passed over.

    peer:     start, warm-up ... ready           load ... done   end
    harness:                           reset  go [ the clock ]
"""
import subprocess
import threading
import time

from measure import Measurement, failure_of, kill, machine_cpu, own_cpu
from processes import peak_memory, tree_cpu


def heard(process, word):
    """Reads until the process says word; False when it ends before."""
    return any(line.strip() == word for line in iter(process.stdout.readline, b""))


def ended(process, timer):
    process.stdin.close()
    for _ in iter(process.stdout.readline, b""):
        pass  # it could not end while nobody reads
    process.wait()
    timer.cancel()
    process.stdout.close()


def clocked(process):
    """The action itself, as a Measurement without a verdict; None when the process ended instead."""
    busy, steal = machine_cpu()
    own, used, began = own_cpu(), tree_cpu(process.pid), time.perf_counter()
    try:
        process.stdin.write(b"go\n")
    except BrokenPipeError:
        return None
    if not heard(process, b"done"):
        return None
    seconds = time.perf_counter() - began
    cpu = tree_cpu(process.pid) - used
    busy_after, steal_after = machine_cpu()
    return Measurement(seconds, cpu, peak_memory(process.pid), 0, steal_after - steal,
                       busy_after - busy - (own_cpu() - own), None, "")


def timed_action(command, env, log, timeout, reset, server_cpu):
    """(Measurement, CPU seconds of the server) of the action that command does after its warm-up."""
    expired = threading.Event()
    measured = None
    with open(f"{log}.0.err", "wb") as err:
        process = subprocess.Popen([str(part) for part in command], env=env, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=err,
                                   start_new_session=True, bufsize=0)
    timer = threading.Timer(timeout, lambda: (expired.set(), kill([process])))
    timer.start()
    before = after = 0.0
    try:
        if heard(process, b"ready"):
            reset()
            before = server_cpu()
            measured = clocked(process)
            after = server_cpu()
        ended(process, timer)
    except BaseException:
        kill([process])
        raise
    finally:
        timer.cancel()
    failure = failure_of([process], log, expired.is_set(), timeout)
    if measured is None:
        measured = Measurement(0, 0, 0, 0, 0, 0, failure or "ended before it had loaded", "")
    measured.failure = measured.failure or failure
    return measured, after - before
