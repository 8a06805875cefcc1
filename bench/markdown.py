"""The results as Markdown tables, lost comparisons included."""


def number(value, form="{:.2f}", factor=1.0):
    return "-" if value is None else form.format(value / factor)


def outcome(ratio):
    """won, lost, or undecided when the rounds do not agree."""
    if ratio["min"] < 1 < ratio["max"]:
        return "undecided"
    return "lost" if ratio["median"] < 1 else "won"


def shown_ratio(ratio):
    if not ratio:
        return "-"
    text = f"{ratio['median']:.2f}"
    if ratio["pairs"] > 1:
        text += f" ({ratio['min']:.2f}-{ratio['max']:.2f})"
    return f"**{text} {outcome(ratio)}**" if outcome(ratio) != "won" else text


def notes(line):
    found = [line["note"]] if line["note"] else []
    if line["subset_rows"]:
        found.append(f"first {line['subset_rows']:,} rows only, ratio per row")
    found += [f"{kind}: {form}" for kind, form in (line.get("forms") or {}).items()]
    return "; ".join(found)


def memory(line):
    return ("<= " if line["rss_is_floor"] else "") + number(line["peak_rss_bytes"], "{:.0f}", 1e6)


def table_row(line, own, with_server):
    cells = [line["label"]]
    if line["status"] != "proven":
        cells += [f"{line['status'].upper()}", *["-"] * (5 + with_server + len(own)), line["reason"] or ""]
    else:
        spread = f" ({line['seconds_min']:.2f}-{line['seconds_max']:.2f})" if line["runs"] > 1 else ""
        cells += [f"{line['seconds']:.2f}{spread}",
                  "-" if line["floor"] and not line["ours"] else number(line["rows_per_second"], "{:,.0f}", 1e3),
                  number(line["cpu_seconds"])]
        cells += [number(line["server_cpu_seconds"])] if with_server else []
        cells += [memory(line), number(line["output_bytes"], "{:.1f}", 1e6),
                  *[shown_ratio(line.get("ratios", {}).get(name)) for name in own],
                  f"{line['quiet']}/{line['runs']}", notes(line)]
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def table(result):
    lines = result["arms"]
    own = {line["arm"]: line["label"] for line in lines if line["ours"] and not line["floor"]}
    with_server = any(line.get("server_cpu_seconds") is not None for line in lines)
    heads = ["arm", "s, median (min-max)", "k rows/s", "client CPU s"]
    heads += ["server CPU s"] if with_server else []
    heads += ["peak MB", "output MB", *[f"time / {label}" for label in own.values()], "quiet runs", "notes"]
    rule = ["---"] + ["---:"] * (len(heads) - 2) + ["---"]
    return ["| " + " | ".join(heads) + " |", "| " + " | ".join(rule) + " |",
            *[table_row(line, own, with_server) for line in lines]]


def verdict(result):
    """What we did not win, in words."""
    labels = {line["arm"]: line["label"] for line in result["arms"]}
    said = {"won": [], "lost": [], "undecided": []}
    for line in result["arms"]:
        for name, ratio in (line.get("ratios") or {}).items():
            if ratio:
                said[outcome(ratio)].append(f"{labels[name]} against {line['label']} ({ratio['median']:.2f})")
    if not any(said.values()):
        return "Nothing to compare: no proven run of ours beside a peer's."
    if not said["lost"] and not said["undecided"]:
        return "No comparison was lost."
    return " ".join(f"{kind.capitalize()}: {'; '.join(said[kind])}." for kind in ("lost", "undecided") if said[kind])


def section(result):
    return [f"## {result['title']}", "",
            f"{result['workload']}: {result['rows']:,} rows, {result['source_bytes'] / 1e6:.1f} MB of Parquet, "
            f"sha256 {result['source_sha256'][:16]}, {result['repeats']} round{'s' * (result['repeats'] > 1)}.", "",
            *table(result), "", verdict(result), ""]


def document(results):
    machine, versions = results["machine"], results["versions"]
    head = ["# headrace benchmark", "",
            f"{machine['cpu']}{', virtual' if machine['virtual'] else ''}, {machine['cores']} cores, "
            f"{machine['memory_gib']} GiB, {machine['system']}, {machine['file_system']}. " +
            ", ".join(f"{name} {version}" for name, version in versions.items() if version) + ".", "",
            "Every row and checksum was compared with the source before its time was printed. The ratio is the other "
            "arm's time over ours in the same round, then the median. Peak MB is the largest process of the arm. A run "
            "is quiet if other processes took at most 10 % of its time + 0.3 s and the host at most 6 %.", ""]
    return "\n".join(head + [line for result in results["results"] for line in section(result)])
