"""CPU and memory of running processes, read from /proc."""
import os

TICK = os.sysconf("SC_CLK_TCK")


def process_times(pid):
    """(parent, CPU seconds of the process, CPU seconds of its ended children)."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    user, system, child_user, child_system = (int(x) / TICK for x in fields[11:15])
    return int(fields[1]), user + system, child_user + child_system


def all_times():
    """pid -> process_times of every process that could be read."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                found[int(entry)] = process_times(entry)
            except (OSError, IndexError):
                continue  # ended meanwhile
    return found


def children_cpu(pid):
    return sum(used for parent, used, _ in all_times().values() if parent == pid)


def tree(pid, times):
    """pid and all its descendants among times (as all_times gives them)."""
    members, found = {pid}, True
    while found:
        found = {child for child, (parent, *_) in times.items() if parent in members} - members
        members |= found
    return members & times.keys()


def tree_cpu(pid):
    """CPU seconds of a process and its descendants so far, ended ones that were waited for included."""
    times = all_times()
    return sum(sum(times[member][1:]) for member in tree(pid, times))


def peak_memory(pid):
    """Bytes of the largest process of a tree at its largest."""
    peak = 0
    for member in tree(pid, all_times()):
        try:
            with open(f"/proc/{member}/status") as status:
                peak = max([peak, *(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))])
        except OSError:
            continue  # ended meanwhile
    return peak
