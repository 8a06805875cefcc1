#!/usr/bin/env python3
"""Makes the golden bytes of COPY BINARY by a real PostgreSQL.

    regenerate.py URI        rewrites every <type>.txt in this folder; psql must be on PATH, PostGIS in the database

Each line of a file is one value, in fields separated by tabs:

    Arrow type | value as Arrow stores it | target | pg_type name | type modifier | COPY TEXT form | field

The server makes the field, length included, from the text form:
COPY (SELECT '<text form>'::<target>) TO STDOUT (FORMAT binary). golden_test.cc then demands of every codec that
it makes this field, and this text form, from the stored value.

Values as stored: integers, days, units since the epoch and unscaled decimals as decimal numbers; floating point as
hex bits; text and bytes as hex digits; intervals as "months,days,nanoseconds" and "days,milliseconds".

A text form that is an Ask is the server's own, of another way to write the value.
"""

import datetime
import pathlib
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
DAY = 86400
EPOCH = datetime.date(1970, 1, 1)


def unescape(text):
    """The value that a field of COPY TEXT stands for."""
    letters = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
    out, at = "", 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
            out += letters.get(text[at], text[at])
        else:
            out += text[at]
        at += 1
    return out


def copy_text(value):
    letters = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", "\v": "v", "\\": "\\"}
    return "".join("\\" + letters[c] if c in letters else c for c in value)


class Ask(str):
    """Input of a type whose text form differs from it."""


def booleans():
    return [("bool", "1", "boolean", "t"), ("bool", "0", "boolean", "f")]


def integers():
    limits = {"smallint": 15, "integer": 31, "bigint": 63}
    cases = []
    for arrow, bits, target in [("int8", 7, "smallint"), ("int16", 15, "smallint"), ("int32", 31, "integer"),
                                ("int64", 63, "bigint")]:
        for value in (0, 1, -1, 42, 2**bits - 1, -(2**bits)):
            cases.append((arrow, str(value), target, str(value)))
    for arrow, bits in [("int8", 7), ("int16", 15), ("int32", 31), ("int64", 63)]:
        for target, room in limits.items():
            for value in (2 ** min(bits, room) - 1, -(2 ** min(bits, room))):
                cases.append((arrow, str(value), target, str(value)))
    for value in (0, 7, -7, 9999, 10000, -10000, 123456789, 10**18, 2**63 - 1, -(2**63)):
        cases.append(("int64", str(value), "numeric", str(value)))
    for value in (0, 1, -99999):
        cases.append(("int32", str(value), "numeric(7,2)", str(value)))
    for value in (0, 1, -5, 2**53, -(2**53), 2**62):
        cases.append(("int64", str(value), "double precision", str(value)))
    for value in (0, 3, -3, 2**24):
        cases.append(("int32", str(value), "real", str(value)))
    return cases


def unsigned():
    cases = []
    for arrow, bits, target in [("uint8", 8, "smallint"), ("uint16", 16, "integer"), ("uint32", 32, "bigint"),
                                ("uint64", 64, "numeric(20,0)")]:
        for value in (0, 1, 2**(bits - 1), 2**bits - 1):
            cases.append((arrow, str(value), target, str(value)))
    cases.append(("uint64", str(2**63 - 1), "bigint", str(2**63 - 1)))
    cases.append(("uint32", "32767", "smallint", "32767"))
    return cases


def floats():
    def single(value):
        return "%08x" % struct.unpack("<I", struct.pack("<f", value))[0]

    def double(value):
        return "%016x" % struct.unpack("<Q", struct.pack("<d", value))[0]

    cases = []
    for bits, text in [("0000", "0"), ("8000", "-0"), ("3c00", "1"), ("c000", "-2"), ("7bff", "65504"),
                       ("3555", "0.33325195"), ("0001", "5.9604645e-08"), ("03ff", "6.097555e-05"),
                       ("7c00", "Infinity"), ("fc00", "-Infinity"), ("7e00", "NaN")]:
        cases.append(("float16", bits, "real", text))
    for value, text in [(0.0, "0"), (1.5, "1.5"), (-0.1, "-0.1"), (3.4028234663852886e38, "3.4028235e+38"),
                        (1.401298464324817e-45, "1e-45"), (float("inf"), "Infinity"), (float("nan"), "NaN")]:
        cases.append(("float32", single(value), "real", text))
    cases.append(("float32", single(0.1), "double precision", "0.10000000149011612"))
    for value, text in [(0.0, "0"), (-0.0, "-0"), (0.1, "0.1"), (1.7976931348623157e308, "1.7976931348623157e+308"),
                        (5e-324, "5e-324"), (123456.789, "123456.789"), (float("-inf"), "-Infinity"),
                        (float("nan"), "NaN")]:
        cases.append(("float64", double(value), "double precision", text))
    cases.append(("float64", double(-0.5), "real", "-0.5"))
    return cases


def decimal_text(unscaled, scale):
    if scale <= 0:
        return str(unscaled * 10**-scale)
    sign, digits = ("-" if unscaled < 0 else ""), str(abs(unscaled)).rjust(scale + 1, "0")
    return sign + digits[:-scale] + "." + digits[-scale:]


def numerics():
    cases = []

    def add(arrow, scale, target, values):
        for value in values:
            cases.append((arrow, str(value), target, decimal_text(value, scale)))

    money = (0, 1, -1, 99, 100, 101, -100, 9999, 10000, 10100, 999999, 1000000, 12345678, -12345678, 100000000,
             123456789012345, -999999999999999)
    add("decimal128(15, 2)", 2, "numeric(15,2)", money)
    add("decimal64(15, 2)", 2, "numeric(15,2)", money)
    add("decimal32(9, 4)", 4, "numeric(9,4)", (0, 1, -1, 9999, 10000, 10001, 999999999, -999999999))
    for scale in (0, 1, 3, 4, 5, 7, 8):
        add("decimal128(38, %d)" % scale, scale, "numeric", (0, 1, -1, 10, 10000, 99999999, 10**16, 10**16 - 1, 10**18,
                                                             10**19, 2**63, -(2**63), 10**38 - 1, -(10**38) + 1, 10**37))
    add("decimal128(10, -3)", -3, "numeric", (0, 1, -7, 12, 9999999999, 10))
    add("decimal128(10, -4)", -4, "numeric", (0, 1, -7, 10000))
    add("decimal256(76, 10)", 10, "numeric", (0, 1, 15000000000, 10**76 - 1, -(10**76) + 1, 2**200, 10**60))
    add("decimal256(76, 76)", 76, "numeric", (1, 10**75, 10**76 - 1))
    add("decimal128(10, 20)", 20, "numeric", (1, 10**10 - 1, -10**4))
    add("decimal128(15, 2)", 2, "numeric(15,4)", (12345, -1))  # the server shows four decimals
    for value, target in ((4200, "integer"), (-3276800, "smallint"), (900000000000000, "bigint")):
        cases.append(("decimal128(15, 2)", str(value), target, str(value // 100)))
    return cases


def texts():
    cases = []
    for arrow in ("utf8", "large_utf8", "utf8_view"):
        for value in ("", "a", "twelve bytes", "thirteen byte", "ünïcödé ☃ 𝄞", "tab\tnewline\nback\\slash\r\b\f\v",
                      "x" * 100, "'quoted' \"too\""):
            cases.append((arrow, value.encode().hex(), "text", copy_text(value)))
    cases.append(("utf8", "äöü".encode().hex(), "character varying(3)", "äöü"))
    cases.append(("utf8", b"abc".hex(), "character(3)", "abc"))
    return cases


def byte_strings():
    cases = []
    for arrow in ("binary", "large_binary", "binary_view"):
        for value in (b"", b"\x00\xff", bytes(range(256))):
            cases.append((arrow, value.hex(), "bytea", copy_text("\\x" + value.hex())))
    cases.append(("fixed_size_binary[4]", "deadbeef", "bytea", "\\\\xdeadbeef"))
    return cases


def dates():
    cases = []
    for day in (datetime.date(1, 1, 1), datetime.date(1899, 12, 31), datetime.date(1900, 1, 1), EPOCH,
                datetime.date(2000, 1, 1), datetime.date(2000, 2, 29), datetime.date(2100, 12, 31),
                datetime.date(2101, 1, 1), datetime.date(9999, 12, 31)):
        days = (day - EPOCH).days
        cases.append(("date32", str(days), "date", day.isoformat()))
        cases.append(("date64", str(days * DAY * 1000), "date", day.isoformat()))
        cases.append(("date32", str(days), "timestamp", day.isoformat()))
    for days, text in ((-719163, "0001-12-31 BC"), (-719528, "0001-01-01 BC"), (-2440588, "4714-11-24 BC"),
                       (2932897, "10000-01-01"), (2145042905, "5874897-12-31")):
        cases.append(("date32", str(days), "date", text))
    cases.append(("date32", "106762939", "timestamp", "294276-12-31"))
    return cases


def times():
    cases = []
    for seconds in (0, 1, 3661, DAY - 1, DAY):
        clock = "%02d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)
        for arrow, units in (("time32[s]", 1), ("time32[ms]", 10**3), ("time64[us]", 10**6), ("time64[ns]", 10**9)):
            cases.append((arrow, str(seconds * units), "time", clock))
    cases.append(("time32[ms]", "86399999", "time", "23:59:59.999"))
    cases.append(("time32[ms]", "1", "time(3)", "00:00:00.001"))
    cases.append(("time64[us]", "86399999999", "time", "23:59:59.999999"))
    cases.append(("time64[ns]", "1000", "time", "00:00:00.000001000"))
    return cases


def timestamps():
    cases = []
    digits = {"s": 0, "ms": 3, "us": 6, "ns": 9}

    def add(unit, seconds, fraction, text):
        """fraction: nanoseconds after the second; text: of the seconds."""
        n = digits[unit]
        value = seconds * 10**n + fraction // 10 ** (9 - n)
        shown = ".%0*d" % (n, fraction // 10 ** (9 - n)) if fraction else ""
        bc = " BC" if text.endswith(" BC") else ""
        stem = text.removesuffix(" BC") + shown
        cases.append(("timestamp[%s]" % unit, str(value), "timestamp", stem + bc))
        cases.append(("timestamp[%s, tz=UTC]" % unit, str(value), "timestamptz", stem + "+00" + bc))

    for unit in digits:
        add(unit, 0, 0, "1970-01-01 00:00:00")
        add(unit, -1, 0, "1969-12-31 23:59:59")
        add(unit, 946684800, 0, "2000-01-01 00:00:00")
        add(unit, 1700000000, 0, "2023-11-14 22:13:20")
        if unit != "s":
            add(unit, -1, 999000000, "1969-12-31 23:59:59")
            add(unit, 1700000000, 5000000, "2023-11-14 22:13:20")
    for unit in ("us", "ns"):
        add(unit, 1700000000, 123456000, "2023-11-14 22:13:20")
    for unit in ("s", "ms", "us"):
        add(unit, -62135596800, 0, "0001-01-01 00:00:00")
        add(unit, -62135596801, 0, "0001-12-31 23:59:59 BC")
        add(unit, -2440588 * DAY, 0, "4714-11-24 00:00:00 BC")
        add(unit, 253402300800, 0, "10000-01-01 00:00:00")
    add("s", 106762940 * DAY - 1, 0, "294276-12-31 23:59:59")
    add("ms", 106762940 * DAY - 1, 999000000, "294276-12-31 23:59:59")
    cases.append(("timestamp[us]", str(2**63 - 1), "timestamp", "294247-01-10 04:00:54.775807"))
    cases.append(("timestamp[ms]", "1700000000120", "timestamp(2)", "2023-11-14 22:13:20.120"))
    return cases


def intervals():
    return [
        ("duration[s]", "0", "interval", "PT0S"),
        ("duration[s]", "3661", "interval", "PT1H1M1S"),
        ("duration[s]", "-90", "interval", "PT-1M-30S"),
        ("duration[ms]", "1500", "interval", "PT1.5S"),
        ("duration[ms]", "-1", "interval", "PT-0.001S"),
        ("duration[us]", "1", "interval", "PT0.000001S"),
        ("duration[us]", "7200000000", "interval", "PT2H"),
        ("duration[us]", "-5400000001", "interval", "PT-1H-30M-0.000001S"),
        ("duration[ns]", "1000", "interval", "PT0.000001S"),
        ("duration[ns]", str(2**63 - 1 - 807), "interval", "PT2562047H47M16.854775S"),
        ("duration[ms]", "1250", "interval(2)", "PT1.25S"),
        ("interval_months", "0", "interval", "PT0S"),
        ("interval_months", "14", "interval", "P1Y2M"),
        ("interval_months", "-14", "interval", "P-1Y-2M"),
        ("interval_months", str(2**31 - 1), "interval", "P178956970Y7M"),
        ("interval_day_time", "1,0", "interval", "P1D"),
        ("interval_day_time", "-1,1500", "interval", "P-1DT1.5S"),
        ("interval_day_time", "400,-86400000", "interval", "P400DT-24H"),
        ("interval_month_day_nano", "1,2,3004005000", "interval", "P1M2DT3.004005S"),
        ("interval_month_day_nano", "-13,-1,-1000", "interval", "P-1Y-1M-1DT-0.000001S"),
        ("interval_month_day_nano", "0,5,0", "interval", "P5D"),
    ]


FILES = {"boolean": booleans, "integer": integers, "unsigned": unsigned, "float": floats, "numeric": numerics,
         "text": texts, "bytes": byte_strings, "date": dates, "time": times, "timestamp": timestamps,
         "interval": intervals}


SHAPES = {  # coordinates of a tuple are written %(a)s to %(d)s
    "POINT": "(%(a)s)",
    "LINESTRING": "(%(a)s,%(b)s)",
    "POLYGON": "((%(a)s,%(b)s,%(c)s,%(a)s),(%(b)s,%(c)s,%(d)s,%(b)s))",
    "MULTIPOINT": "((%(a)s),(%(b)s))",
    "MULTILINESTRING": "((%(a)s,%(b)s),(%(c)s,%(d)s,%(a)s))",
    "MULTIPOLYGON": "(((%(a)s,%(b)s,%(c)s,%(a)s)),((%(b)s,%(c)s,%(d)s,%(b)s)))",
}
TUPLES = {"a": "1 2 3 4", "b": "-0.1 1e-7 33 44", "c": "179.999999999 -89.5 -1 0.5", "d": "0 0 0 0"}


def geometries():
    cases = []

    def add(target, ewkt):
        cases.append(("utf8", ewkt.encode().hex(), target, Ask(ewkt)))

    for tag in ("", " Z", " M", " ZM"):
        tuples = {name: " ".join(text.split()[:2 + len(tag.strip())]) for name, text in TUPLES.items()}
        written = {name + tag: name + tag + body % tuples for name, body in SHAPES.items()}
        parts = ",".join(written.values())
        written["GEOMETRYCOLLECTION" + tag] = "GEOMETRYCOLLECTION%s(%s,GEOMETRYCOLLECTION%s(%s))" % (tag, parts, tag, parts)
        for name, text in written.items():
            column = name.replace(" ", "")
            add("geometry", "SRID=4326;" + text)
            add("geometry(%s,27700)" % column, "SRID=27700;" + text)
            add("geography(%s)" % column, "SRID=4326;" + text)
            add("geometry(%s,4326)" % column, "SRID=4326;%s EMPTY" % name)
        for name in ("MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON"):
            add("geometry", "SRID=4326;%s%s(EMPTY,EMPTY)" % (name, tag))
    return cases


FILES["geometry"] = geometries


def psql(uri, sql):
    run = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", uri, "-c", sql],
                         stdout=subprocess.PIPE, check=True)
    return run.stdout


def literal(value):
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return "E'%s'" % quoted


def fields_of(uri, cases):
    """The fields of one tuple, each with its length."""
    columns = ", ".join("%s::%s" % (literal(unescape(text)), target) for _, _, target, text in cases)
    out = psql(uri, "SET timezone = 'UTC'; COPY (SELECT %s) TO STDOUT (FORMAT binary)" % columns)
    at, fields = 19 + 2, []
    for _ in cases:
        size = struct.unpack(">i", out[at:at + 4])[0]
        fields.append(out[at:at + 4 + size].hex())
        at += 4 + size
    assert out[at:] == b"\xff\xff"
    return fields


def answered(uri, cases):
    """The cases with the server's text form in place of each Ask."""
    columns = ", ".join("%s::%s::text" % (literal(text), target) for _, _, target, text in cases)
    texts = psql(uri, "SELECT " + columns).decode().rstrip("\n").split("|")
    return [(arrow, stored, target, copy_text(text)) for (arrow, stored, target, _), text in zip(cases, texts)]


def target_types(uri, targets):
    """target -> (pg_type name, type modifier), by the server's own catalog."""
    names = sorted(set(targets))
    columns = ", ".join("c%d %s" % (i, name) for i, name in enumerate(names))
    out = psql(uri, "CREATE TEMP TABLE t (%s); SELECT typname || ' ' || atttypmod FROM pg_attribute a JOIN pg_type p "
                    "ON p.oid = a.atttypid WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum" % columns)
    return {name: line.split() for name, line in zip(names, out.decode().splitlines())}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    uri = sys.argv[1]
    version = psql(uri, "SHOW server_version").decode().split()[0]
    for name, make in FILES.items():
        cases = make()
        if isinstance(cases[0][3], Ask):
            cases = answered(uri, cases)
        types = target_types(uri, [case[2] for case in cases])
        lines = ["# Made by regenerate.py; its head says what the fields are.",
                 "# PostgreSQL %s: COPY (SELECT '<text form>'::<target>) TO STDOUT (FORMAT binary)" % version]
        for (arrow, stored, target, text), field in zip(cases, fields_of(uri, cases)):
            base, typmod = types[target]
            lines.append("\t".join([arrow, stored, target, base, typmod, text, field]))
        (HERE / (name + ".txt")).write_text("\n".join(lines) + "\n", encoding="utf-8")
        print("%-12s %d values" % (name, len(cases)))


if __name__ == "__main__":
    main()
