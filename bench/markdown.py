"""The results as Markdown tables, lost comparisons and missed aims included."""
from aims import said as said_of_aim


def number(value, form="{:.2f}", factor=1.0):
    return "-" if value is None else form.format(value / factor)


def outcome(ratio):
    """won, lost, or undecided when the rounds do not agree."""
    if ratio["min"] < 1 < ratio["max"]:
        return "undecided"
    return "lost" if ratio["median"] < 1 else "won"


def shown_ratio(ratio, ours):
    if not ratio:
        return "-"
    text = f"{ratio['median']:.2f}"
    if ratio["pairs"] > 1:
        text += f" ({ratio['min']:.2f}-{ratio['max']:.2f})"
    # Against another of our own arms nothing is won or lost.
    return f"**{text} {outcome(ratio)}**" if outcome(ratio) != "won" and not ours else text


def notes(line):
    found = [line["note"]] if line["note"] else []
    if line["subset_rows"]:
        found.append(f"first {line['subset_rows']:,} rows only, ratio per row")
    found += [f"{kind}: {form}" for kind, form in (line.get("forms") or {}).items()]
    return "; ".join(found)


def memory(line):
    return ("<= " if line["rss_is_floor"] else "") + number(line["peak_rss_bytes"], "{:.0f}", 1e6)


def rate(rows_per_second):
    return number(rows_per_second, "{:,.0f}" if rows_per_second >= 100_000 else "{:.1f}", 1e3)


def per_million(line, key):
    """Seconds of CPU per million rows."""
    return None if line[key] is None else line[key] / line["rows"] * 1e6


def columns(result):
    """(head, cell of a proven line) of every column but the first and the last."""
    lines = result["arms"]
    found = [("s, median (min-max)", lambda line: f"{line['seconds']:.2f}" + (
        f" ({line['seconds_min']:.2f}-{line['seconds_max']:.2f})" if line["runs"] > 1 else "")),
             ("k rows/s", lambda line: "-" if line["floor"] and not line["ours"]
              else rate(line["rows_per_second"]))]
    for who, key in (("client", "cpu_seconds"), ("server", "server_cpu_seconds")):
        if any(line.get(key) is not None for line in lines):
            found.append((f"{who} CPU s", lambda line, key=key: number(line[key])))
            found.append((f"{who} CPU s/M rows", lambda line, key=key: number(per_million(line, key))))
    found.append(("peak MB", memory))
    if any(line.get("output_bytes") is not None for line in lines):
        found.append(("output MB", lambda line: number(line["output_bytes"], "{:.1f}", 1e6)))
    for extra in result.get("extras", ()):
        found.append((extra["head"], lambda line, extra=extra: number(
            line["extra"][extra["key"]], extra["form"], extra["factor"])))
    for line in lines:
        if line["compares"]:
            found.append((f"time / {line['label']}", lambda other, name=line["arm"]: shown_ratio(
                other.get("ratios", {}).get(name), other["ours"])))
    return [*found, ("quiet runs", lambda line: f"{line['quiet']}/{line['runs']}")]


def table_row(line, cells):
    if line["status"] == "proven":
        found = [line["label"], *(cell(line) for cell in cells), notes(line)]
    else:
        found = [line["label"], line["status"].upper(), *["-"] * (len(cells) - 1), line["reason"] or ""]
    return "| " + " | ".join(cell.replace("|", "/") for cell in found) + " |"


def table(result):
    shown = columns(result)
    heads = ["arm", *(head for head, _ in shown), "notes"]
    rule = ["---"] + ["---:"] * len(shown) + ["---"]
    return ["| " + " | ".join(heads) + " |", "| " + " | ".join(rule) + " |",
            *[table_row(line, [cell for _, cell in shown]) for line in result["arms"]]]


def verdict(result):
    """What we did not win, in words."""
    labels = {line["arm"]: line["label"] for line in result["arms"]}
    said = {"won": [], "lost": [], "undecided": []}
    for line in result["arms"]:
        for name, ratio in (line.get("ratios") or {}).items():
            if ratio and not line["ours"]:
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
            *table(result), "", verdict(result), "",
            *paragraph(result.get("remarks")), *paragraph([said_of_aim(line) for line in result.get("aims", ())])]


def paragraph(lines):
    return [*lines, ""] if lines else []


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
