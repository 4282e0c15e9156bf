"""Reads files that awkward_rows_test.cpp wrote and compares every value with what it must be, to the digit.

read_awkward.py EXPECTED FILE...: the extension of a file says its format and compression; `guarded.csv` is one of the profile
spreadsheet. Ends with an error at the first difference.
"""
import csv
import gzip
import io
import json
import re
import sys

import zstandard

GUARDED_TYPES = ("text", "interval", "json", "text[]", "int64[]")
# One CSV field: quoted or not, and what ends it. Tells the empty string ("") from NULL (nothing), as csv does not.
FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)')


def content(path):
    with open(path, "rb") as file:
        data = file.read()
    if path.endswith(".gz"):
        return gzip.decompress(data)
    if path.endswith(".zst"):
        return zstandard.ZstdDecompressor().decompress(data)
    return data


def fields_of(text):
    """The rows of a CSV text, with None for fields that are empty and not quoted."""
    row, end = [], 0
    for match in FIELD.finditer(text):
        assert match.start() == end, text[end:end + 80]
        end = match.end()
        quoted, plain, stop = match.groups()
        row.append(quoted.replace('""', '"') if quoted is not None else plain or None)
        if stop != ",":
            yield row
            row = []
    assert end == len(text), text[end:end + 80]


def check_csv(text, expected, guarded):
    columns = expected["columns"]

    def wanted(column, cell):
        if cell is None:
            return None
        value = cell["csv"]
        return "'" + value if guarded and column["type"] in GUARDED_TYPES and value.startswith(tuple("=+-@\t\r\n\0")) else value

    names = [c["name"] for c in columns]
    rows = [[wanted(*pair) for pair in zip(columns, row)] for row in expected["rows"]]
    compare([names] + rows, list(fields_of(text)))
    without_nulls = [[cell or "" for cell in row] for row in rows]
    compare([names] + without_nulls, list(csv.reader(io.StringIO(text, newline=""), strict=True)))


def number(text):
    """Numbers keep their digits, and differ from strings of the same digits."""
    return ("number", text)


def parse(text):
    return json.loads(text, parse_int=number, parse_float=number)


def check_json(objects, expected):
    names = [c["name"] for c in expected["columns"]]
    rows = [[None if cell is None else parse(cell["json"]) for cell in row] for row in expected["rows"]]
    for found in objects:
        assert list(found) == names, list(found)
    compare(rows, [list(found.values()) for found in objects])


def compare(wanted, found):
    assert len(found) == len(wanted), f"{len(found)} rows, not {len(wanted)}"
    for number_of_row, (wanted_row, found_row) in enumerate(zip(wanted, found)):
        assert len(found_row) == len(wanted_row), f"row {number_of_row} has {len(found_row)} cells"
        for place, (a, b) in enumerate(zip(wanted_row, found_row)):
            assert a == b and type(a) is type(b), f"row {number_of_row}, column {place}: {b!r:.200}, not {a!r:.200}"


def check_lines(text):
    """Each row is a line of the array's text; the brackets have lines of their own."""
    if text == "[]\n":
        return
    lines = text.split("\n")
    assert lines[0] == "[" and lines[-2:] == ["]", ""], (lines[0], lines[-2:])
    for line in lines[1:-3]:
        assert line.startswith("{") and line.endswith("},"), line[:80]
    assert lines[-3].startswith("{") and lines[-3].endswith("}"), lines[-3][:80]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        expected = json.load(file)
    for path in sys.argv[2:]:
        try:
            text = content(path).decode("utf-8")
            if ".csv" in path:
                check_csv(text, expected, path.endswith("guarded.csv"))
            elif ".jsonl" in path:
                lines = text.split("\n")
                assert lines.pop() == "", "no line feed at the end"
                check_json([parse(line) for line in lines], expected)
            else:
                check_lines(text)
                check_json(parse(text), expected)
        except Exception as error:
            raise SystemExit(f"{path}: {type(error).__name__}: {error}") from error


main()
