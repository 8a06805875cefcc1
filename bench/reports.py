"""Reads the JSON objects that headrace and the encoders print."""
import json


def parsed(stdout):
    try:
        found = json.loads(stdout)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def rows_in_report(stdout, rows):
    """Proof of an arm that writes nothing: it says it has read and encoded every row."""
    report = parsed(stdout) or {}
    said = report.get("rows_written")
    if report.get("status") == "ok" and said == rows:
        return {"ok": True}
    return {"ok": False, "differences": [f"reports status {report.get('status')!r} and {said} rows, not {rows}"]}
