"""From single runs to medians and ratios."""
from statistics import median

MEDIANS = ("seconds", "cpu_seconds", "server_cpu_seconds", "peak_rss_bytes", "output_bytes")


def middle(values):
    values = [value for value in values if value is not None]
    return median(values) if values else None


def ratios(runs, other_runs, key="seconds"):
    """Time (or CPU) per row of an arm over that of another, round by round, so that both saw the same minutes."""
    other = {run["round"]: run[key] / run["rows"] for run in other_runs if run[key]}
    pairs = [run[key] / run["rows"] / other[run["round"]] for run in runs if run["round"] in other]
    return {"median": median(pairs), "min": min(pairs), "max": max(pairs), "pairs": len(pairs)} if pairs else None


def extra_values(extras, runs):
    """The further columns: medians, or the worst of all rounds."""
    found = {}
    for extra in extras:
        values = [run["extra"][extra.key] for run in runs if extra.key in run["extra"]]
        found[extra.key] = (max(values) if extra.worst else median(values)) if values else None
    return found


def summarise(arm, limit, runs, own, extras=()):
    """One line of the table. own: name -> proven runs of each of our own arms that others are compared in."""
    mine = [run for run in runs if run["arm"] == arm.name]
    proven = [run for run in mine if run["status"] == "proven"]
    line = {"arm": arm.name, "label": arm.label, "note": arm.note, "ours": arm.ours, "floor": arm.floor,
            "compares": arm.compares,
            "runs": len(mine), "proven": len(proven), "quiet": sum(bool(run["quiet"]) for run in proven),
            "subset_rows": limit, "reason": next((run["reason"] for run in mine if run["reason"]), None)}
    if not proven:
        line["status"] = mine[0]["status"] if mine else "skipped"
        return line
    # One wrong result is enough to doubt the others.
    line["status"] = "proven" if len(proven) == len(mine) else "void"
    if line["status"] == "void":
        return line
    line.update({name: middle(run[name] for run in proven) for name in MEDIANS})
    times = [run["seconds"] for run in proven]
    line.update(rows=proven[0]["rows"], extra=extra_values(extras, proven))
    line.update(seconds_min=min(times), seconds_max=max(times), rows_per_second=proven[0]["rows"] / median(times),
                steal_seconds_max=max(run["steal_seconds"] for run in proven), forms=proven[0]["proof"].get("forms"),
                rss_is_floor=all(run["peak_rss_bytes"] <= run["rss_floor_bytes"] for run in proven))
    if not arm.floor and not arm.compares:
        line["ratios"] = {name: ratios(proven, others) for name, others in own.items()}
    return line


def of_target(workload, arms, runs, skipped, extras=()):
    """Lines of all arms, in their order; skipped: arm name -> why it was not run."""
    own = {arm.name: [run for run in runs if run["arm"] == arm.name and run["status"] == "proven"]
           for arm in arms if arm.compares}
    lines = []
    for arm in arms:
        limit = arm.limit(workload)
        line = summarise(arm, limit if limit and limit < workload.facts()["rows"] else None, runs, own, extras)
        line["reason"] = skipped.get(arm.name, line["reason"])
        lines.append(line)
    return lines
