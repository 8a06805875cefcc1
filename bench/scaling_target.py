"""One, two, three, four connections: how much faster than one, and what the machine allows."""
from statistics import median

from aims import aim, runs_of
from arms import Arm
from markdown import rate
from postgres_target import PostgresTarget, connections, load, psql_sessions
from summary import ratios

NUMBERS = (1, 2, 3, 4)
OURS, PSQL = "connections_{}", "sessions_{}"
WANTED = 0.85


class ScalingTarget(PostgresTarget):
    name = "scaling"
    title = "PostgreSQL: one to four connections, Parquet file to committed rows in an empty, logged table"
    workloads = ("lineitem", "flights", "entity", "entity_bare")

    def arms(self):
        return [*(self.one(number) for number in NUMBERS),
                *(psql_sessions(self.tables, number, name=PSQL.format(number)) for number in NUMBERS)]

    def one(self, number):
        return Arm(OURS.format(number), f"headrace, {number} connection{'s' * (number > 1)}", ours=True,
                   yardstick=number == 1, commands=lambda w, source: load(
                       self.options, self.server, w, source, "--mode", "append", "--method", "copy",
                       *connections(str(number))))

    def prepare(self, workload, arms):
        self.tables.prepare(workload, arms, NUMBERS)

    def remarks(self, result):
        return [*table(result), "", machine_limit(result)], aims(result)


def speed_up(result, form, number):
    """How many times as fast as one, round by round; None without runs of both."""
    return ratios(runs_of(result, form.format(1)), runs_of(result, form.format(number)))


def busy(runs):
    """Cores that client and server keep busy together."""
    return median((run["cpu_seconds"] + run["server_cpu_seconds"]) / run["seconds"] for run in runs)


def limit(result, number):
    """No number of connections can be faster than the cores allow: all CPU of one load, spread over all of them."""
    one = runs_of(result, OURS.format(1))
    return min(number, result["cores"] / busy(one)) if one else None


def shown(ratio, divisor=1):
    return f"{ratio['median'] / divisor:.2f}" if ratio else "-"


def table(result):
    lines = ["| connections | k rows/s | x one connection | of N x one | cores busy | psql sessions: x one session |",
             "| ---: | ---: | ---: | ---: | ---: | ---: |"]
    for number in NUMBERS:
        runs = runs_of(result, OURS.format(number))
        if runs:
            rows_per_second = median(run["rows"] / run["seconds"] for run in runs)
            ratio = speed_up(result, OURS, number)
            lines.append(f"| {number} | {rate(rows_per_second)} | {shown(ratio)} | {shown(ratio, number)} | "
                         f"{busy(runs):.2f} | {shown(speed_up(result, PSQL, number))} |")
    return lines


def machine_limit(result):
    one = runs_of(result, OURS.format(1))
    if not one:
        return "The machine's limit: not known without a run of one connection."
    client, server, wall = (median(run[key] for run in one) for key in ("cpu_seconds", "server_cpu_seconds", "seconds"))
    return (f"The machine's limit: {result['cores']} cores. One connection takes {client:.2f} s of client and "
            f"{server:.2f} s of server CPU in {wall:.2f} s, so {busy(one):.2f} cores are busy, and with the same CPU a "
            f"row no number of connections is more than {result['cores'] / busy(one):.2f} times as fast.")


def aims(result):
    found = []
    for number in NUMBERS[1:]:
        ratio, allowed = speed_up(result, OURS, number), limit(result, number)
        if ratio and allowed:
            found.append(aim(f"{number} connections: at least {WANTED} of {allowed:.2f} times one connection "
                             f"(the smaller of {number} and the machine's limit)",
                             ratio["median"] / allowed, at_least=WANTED))
    return found
