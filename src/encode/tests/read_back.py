"""Reads a file that read_back_test.cpp wrote and compares it with the cells it was made from.

read_back.py FILE EXPECTED PROFILE DELIMITER: the extension says the format and compression; EXPECTED is a JSON array of
rows, each an array of texts or nulls. Ends with an error at the first difference.
"""
import csv
import gzip
import io
import json
import sys
from decimal import Decimal

import zstandard

COLUMNS = ["id", "t", "j", "n", "f", "on", "raw", "any", "d"]
TEXT_TYPED = {"t", "j"}


def read_bytes(path):
    with open(path, "rb") as file:
        data = file.read()
    if path.endswith(".gz"):
        return gzip.decompress(data)
    if path.endswith(".zst"):
        whole = zstandard.ZstdDecompressor().decompress(data)
        streamed = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read()
        assert whole == streamed, "one-shot and streaming decoders disagree"
        return whole
    return data


def check_csv(data, expected, profile, delimiter):
    text = data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    assert rows[0] == COLUMNS, rows[0]
    assert len(rows) - 1 == len(expected), (len(rows) - 1, len(expected))
    for number, (row, cells) in enumerate(zip(rows[1:], expected)):
        for name, found, cell in zip(COLUMNS, row, cells):
            wanted = cell or ""
            if profile == "spreadsheet" and name in TEXT_TYPED and wanted[:1] in tuple("=+-@\t\r\n\0") and wanted:
                wanted = "'" + wanted
            assert found == wanted, (number, name, found, wanted)
    # The csv module does not tell NULL from the empty string; the bytes do.
    empty_strings = sum(1 for cells in expected for name, cell in zip(COLUMNS, cells) if cell == "" and name in TEXT_TYPED)
    bare = text.replace('""', "\0") if empty_strings else ""
    assert not empty_strings or bare.count("\0") >= empty_strings


def json_rows(path, data):
    """Objects as Python has them, fractions exact."""
    text = data.decode("utf-8")
    if ".jsonl" not in path:
        return json.loads(text, parse_float=Decimal)
    lines = text.split("\n")
    assert lines.pop() == ""
    return [json.loads(line, parse_float=Decimal) for line in lines]


def check_json(rows, expected):
    assert len(rows) == len(expected), (len(rows), len(expected))
    for number, (row, cells) in enumerate(zip(rows, expected)):
        assert list(row) == COLUMNS, row
        for name, cell in zip(COLUMNS, cells):
            found = row[name]
            if cell is None:
                wanted = None
            elif name == "id":
                wanted = int(cell)
            elif name in ("n", "any", "f"):
                wanted, found = Decimal(cell), Decimal(found)
            elif name == "on":
                wanted = cell == "true"
            elif name == "j":
                wanted = json.loads(cell, parse_float=Decimal)
            else:
                wanted = cell
            assert found == wanted and isinstance(found, type(wanted)), (number, name, found, wanted)


def main():
    path, expected_path, profile, delimiter = sys.argv[1:]
    with open(expected_path, encoding="utf-8") as file:
        expected = json.load(file)
    data = read_bytes(path)
    if ".csv" in path:
        check_csv(data, expected, profile, delimiter)
    else:
        check_json(json_rows(path, data), expected)


main()
