"""Interleaved rounds: every arm once per round, in another order each round, proven before its time counts."""
from dataclasses import asdict, dataclass, field

from action import timed_action
from measure import timed
from reports import parsed
from shell import BenchError, say, warm


@dataclass
class Run:
    arm: str
    round: int
    position: int
    status: str  # proven, void (ran, but the result is wrong), failed, or cannot (failed, as was known)
    reason: str | None = None
    seconds: float | None = None  # only of proven runs
    cpu_seconds: float | None = None
    server_cpu_seconds: float | None = None
    peak_rss_bytes: int | None = None
    rss_floor_bytes: int | None = None
    steal_seconds: float | None = None
    foreign_cpu_seconds: float | None = None
    quiet: bool | None = None
    rows: int | None = None
    output_bytes: int | None = None
    command: list = field(default_factory=list)
    proof: dict = field(default_factory=dict)
    extra: dict = field(default_factory=dict)  # of target.watch
    report: dict | None = None


def is_quiet(run, wall):
    """Little enough was taken from the machine for the time to be worth comparing."""
    return run.foreign_cpu_seconds <= 0.1 * wall + 0.3 and run.steal_seconds <= 0.06 * wall


def record(run, target, measured, server_cpu):
    run.cpu_seconds, run.peak_rss_bytes = measured.cpu_seconds, measured.peak_rss_bytes
    run.rss_floor_bytes, run.steal_seconds = measured.rss_floor_bytes, measured.steal_seconds
    run.server_cpu_seconds = server_cpu
    known = measured.cpu_seconds + (server_cpu or 0.0) + run.extra.get("companion_cpu_seconds", 0.0)
    run.foreign_cpu_seconds = max(0.0, measured.machine_cpu_seconds - known)
    run.quiet = is_quiet(run, measured.seconds)
    run.seconds, run.report = measured.seconds, parsed(measured.stdout)
    if target.own_clock:
        run.seconds, run.cpu_seconds = run.report["seconds"], run.report["cpu_seconds"]


def shortened(differences):
    """All of them are in the run's proof; the first tell enough."""
    more = [f"and {len(differences) - 3} more"] if len(differences) > 3 else []
    return "; ".join(differences[:3] + more)


def clocked(target, workload, arm, files, commands, log, options, extra):
    """(Measurement, CPU seconds of the server or None) of one run, in a target that is as at its start."""
    def reset():
        target.reset(workload)
        warm(files)

    reset()
    if arm.action:
        return timed_action(commands[0], target.environment(), log, options.timeout, reset, target.server_cpu)
    with target.watch(workload) as seen:
        before = target.server_cpu()
        measured = timed(commands, target.environment(), log, options.timeout, target.finish(arm))
        server_cpu = None if before is None else target.server_cpu() - before
    extra.update(seen)
    return measured, server_cpu


def run_arm(target, workload, arm, run, options, show):
    source = workload.subset(arm.limit(workload))
    commands = arm.commands(workload, source)
    run.command = [show(command) for command in commands]
    run.rows = workload.facts(arm.limit(workload))["rows"]
    log = options.work / "logs" / f"{target.name}-{workload.name}-{arm.name}-{run.round}"
    log.parent.mkdir(parents=True, exist_ok=True)
    files = arm.files(workload, source)
    measured, server_cpu = clocked(target, workload, arm, files, commands, log, options, run.extra)
    if measured.failure:
        known = arm.cannot.get(workload.name)
        run.status, run.reason = ("cannot", f"{known} ({measured.failure})") if known else ("failed", measured.failure)
        return
    run.proof = target.prove(workload, arm, measured, run.extra)
    if not run.proof["ok"]:
        run.status, run.reason = "void", shortened(run.proof["differences"])
        return
    run.status, run.output_bytes = "proven", run.proof.get("output_bytes")
    record(run, target, measured, server_cpu)


def said_of(run):
    if run.status != "proven":
        return f"{run.status}: {run.reason}"
    return f"{run.seconds:.2f} s, proven" + ("" if run.quiet else ", machine not quiet")


def run_rounds(target, workload, arms, options, show):
    """All runs of one target and workload. An arm that fails once is not tried again."""
    runs, left = [], list(arms)
    for number in range(options.repeats):
        turn = number % len(left) if left else 0
        for position, arm in enumerate(left[turn:] + left[:turn]):
            run = Run(arm.name, number + 1, position + 1, "failed")
            try:
                run_arm(target, workload, arm, run, options, show)
            except BenchError as error:
                run.reason = str(error)
            runs.append(run)
            say(f"{target.name} {workload.name} round {number + 1}: {arm.label}: {said_of(run)}")
        broken = {run.arm for run in runs if run.status != "proven"}
        left = [arm for arm in left if arm.name not in broken]
    return [asdict(run) for run in runs]
