"""What was promised, beside what was measured: printed below a table whether reached or not."""
from summary import ratios


def aim(text, found, at_least=None, at_most=None):
    reached = found >= at_least if at_least is not None else found <= at_most
    return {"aim": text, "found": found, "reached": reached}


def said(line):
    return f"- {'reached' if line['reached'] else '**missed**'}: {line['aim']}: {line['found']:.2f}"


def runs_of(result, arm):
    return [run for run in result["runs"] if run["arm"] == arm and run["status"] == "proven"]


def times(result, ours, other, key="seconds"):
    """How many times of ours the other needs per row, median of the rounds; None without a common round."""
    ratio = ratios(runs_of(result, other), runs_of(result, ours), key)
    return ratio["median"] if ratio else None


# (ours, other, what is compared, at least so many times, in words)
AGAINST_SPARK = (
    ("headrace", "seconds", 6, "copy is at least 6 times as fast as the write action of {}"),
    ("headrace", "server_cpu_seconds", 4, "copy takes at most a quarter of the server CPU of {}: times less"))
OPTIMIZED = ("optimized", "seconds", 1.5, "optimized is at least 1.5 times as fast as the write action of {}")
SPARK_REWRITE_ON = ("spark", "spark_1000")


def spark_aims(result):
    labels = {line["arm"]: line["label"] for line in result["arms"]}
    wanted = AGAINST_SPARK + ((OPTIMIZED,) if result["workload"] == "lineitem" else ())
    found = []
    for ours, key, at_least, text in wanted:
        for other in SPARK_REWRITE_ON:
            ratio = times(result, ours, other, key)
            if ratio:
                found.append(aim(text.format(labels[other]), ratio, at_least=at_least))
    return found


def client_cpu_aim(result):
    """The client CPU of copy against every peer, those that start from prepared files included."""
    lines = {line["arm"]: line for line in result["arms"] if line["status"] == "proven"}
    if "headrace" not in lines:
        return []
    found = []
    for name, line in lines.items():
        ratio = None if line["ours"] or line["floor"] else times(result, "headrace", name, "cpu_seconds")
        if ratio:
            prepared = ", which reads no Parquet" if name.startswith("psql") else ""
            found.append(aim(f"copy takes less client CPU a row than {line['label']}{prepared}: times less", ratio,
                             at_least=1))
    return found


def postgres_aims(result):
    return spark_aims(result) + (client_cpu_aim(result) if result["workload"] == "lineitem" else [])
