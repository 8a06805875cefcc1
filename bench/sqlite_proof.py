"""Does a SQLite file hold the source? Compares every row by sums and every 997th row value by value.

The yardstick is inputs/source_facts.py. Tools store decimals and dates in different ways; each exact way is accepted
and named in the proof: decimals as text or as numbers, dates and timestamps as any ISO text.
"""
import datetime
import decimal
import sqlite3


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def column_checks(column, rows):
    """(what, SQL aggregate, expected value) for one column; all of a table run in one scan."""
    name, kind = quoted(column["name"]), column["kind"]
    filled = rows - column["nulls"]
    checks = [("values", f"count({name})", filled)]
    if kind == "integer":
        checks.append(("integers", f"sum(typeof({name}) = 'integer')", filled))
        checks.append(("sum", f"sum({name})", int(column["sum"])))
    elif kind == "decimal":
        power = f"{10 ** column['scale']}.0"
        checks.append(("sum", f"sum(CAST(round({name} * {power}) AS INTEGER))", int(column["sum"])))
        # A quotient of two exact numbers is the double nearest to the decimal: up to 15 digits nothing else is exact.
        checks.append(("inexact values", f"sum({name} + 0.0 <> round({name} * {power}) / {power})", 0))
    elif kind == "text":
        checks.append(("lengths", f"sum(length({name}))", column["length_sum"]))
        checks.append(("least", f"min({name})", column["min"]))
        checks.append(("greatest", f"max({name})", column["max"]))
    else:
        checks.append(("texts", f"sum(typeof({name}) = 'text')", filled))
        checks.append(("seconds", f"sum(CAST(strftime('%s', {name}) AS INTEGER))", int(column["sum"])))
    return [(f"{column['name']}: {what}", sql, expected) for what, sql, expected in checks]


def aggregate_differences(connection, table, facts):
    checks = [("rows", "count(*)", facts["rows"])]
    for column in facts["columns"]:
        checks += column_checks(column, facts["rows"])
    pairing = facts["pairing"]
    if pairing:
        product = f"sum({quoted(pairing['first'])} * {quoted(pairing['last'])})"
        checks.append((f"{pairing['first']} x {pairing['last']}", product, int(pairing["sum"])))
    sql = f"SELECT {', '.join(check[1] for check in checks)} FROM {quoted(table)}"
    found = connection.execute(sql).fetchone()
    return [f"{what} is {value!r}, not {expected!r}"
            for (what, _, expected), value in zip(checks, found) if value != expected]


def exact_decimal(value, expected, column):
    """The form the value is stored in, or None when it is not the expected one."""
    if isinstance(value, str):
        return "text" if decimal.Decimal(value) == decimal.Decimal(expected) else None
    # Stored as a number: exact when it is the integer or the double nearest to the decimal.
    return "number" if float(value) == float(expected) and column["scale"] <= 15 else None


def exact_date(value, expected):
    if not isinstance(value, str):
        return None
    same = datetime.datetime.fromisoformat(value) == datetime.datetime.fromisoformat(expected)
    return "text like " + value if same else None


def form_of(value, expected, column):
    if value is None or expected is None:
        return "NULL" if value is expected else None
    kind = column["kind"]
    try:
        if kind == "decimal":
            return exact_decimal(value, expected, column)
        if kind in ("date", "timestamp"):
            return exact_date(value, expected)
    except (ValueError, decimal.InvalidOperation):
        return None
    return kind if value == expected and isinstance(value, type(expected)) else None


def sample_differences(connection, table, facts, forms):
    """Compares the sample in the source's order, which every arm keeps. Fills forms: kind -> how it is stored."""
    rows = connection.execute(f"SELECT * FROM {quoted(table)} WHERE (rowid - 1) % {facts['sample_step']} = 0 "
                              "ORDER BY rowid").fetchall()
    if len(rows) != len(facts["sample"]):
        return [f"sample has {len(rows)} rows, not {len(facts['sample'])}"]
    differences = []
    for row, expected_row in zip(rows, facts["sample"]):
        for value, expected, column in zip(row, expected_row, facts["columns"]):
            form = form_of(value, expected, column)
            if form is None:
                differences.append(f"{column['name']} is {value!r}, not {expected!r}")
            elif column["kind"] in ("decimal", "date", "timestamp"):
                forms.setdefault(column["kind"], form)
        if len(differences) > 3:
            break
    return differences


def index_differences(connection, table, indexes):
    found = {",".join(name for _, _, name in connection.execute(f"PRAGMA index_info({quoted(index)})"))
             for _, index, *_ in connection.execute(f"PRAGMA index_list({quoted(table)})")}
    return [] if found == set(indexes) else [f"indexes are on {sorted(found)}, not {sorted(indexes)}"]


def prove(path, table, facts, indexes=()):
    """{"ok", "differences", "forms", "declared"} for a finished file."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        # quick_check does not compare indexes with their table.
        check = "integrity_check" if indexes else "quick_check"
        state = connection.execute(f"PRAGMA {check}(1)").fetchone()[0]
        if state != "ok":
            return {"ok": False, "differences": [f"{check}: {state}"]}
        declared = {name: kind for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({quoted(table)})")}
        names = [column["name"] for column in facts["columns"]]
        if list(declared) != names:
            return {"ok": False, "differences": [f"columns are {list(declared)}, not {names}"]}
        forms = {}
        differences = index_differences(connection, table, indexes)
        differences += aggregate_differences(connection, table, facts)
        differences += sample_differences(connection, table, facts, forms)
        return {"ok": not differences, "differences": differences[:4], "forms": forms, "declared": declared}
    except sqlite3.Error as error:
        return {"ok": False, "differences": [f"SQLite: {error}"]}
    finally:
        connection.close()
