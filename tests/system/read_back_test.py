"""A million awkward rows of PostgreSQL, exported and read back equal, value by value, by readers that are not ours.

What the values must be is fetched by psql from the same table (see awkward_table.py). That is done once for each format;
however else the export is cut into partitions or compressed, its (decompressed) bytes must be the same.
"""

import csv
import ctypes
import json
import multiprocessing
import os
import pathlib
import re
import shutil
import tempfile
import unittest

import awkward_table
import harness

# A sanitized build reads fewer, because it is to find its own kind of faults and not to wait for the values.
ROWS = int(os.environ.get("LONGSHORE_TEST_ROWS", "1000000"))
ROWS_BY_OTHER_KEYS = 100_000
NULL = "~null~"  # stands for NULL in what psql writes; no value is this text

MACHINE = {"profile": "machine"}
COMPRESSIONS = ("none", "gzip", "zstd")
PARTITIONS = (1, 2, 7)
JSON_COMPRESSION = {1: "none", 2: "gzip", 7: "zstd"}  # by partitions: a JSON array's rows are those of JSON Lines

# One CSV field: quoted or not, and what ends it. Tells the empty string ("") from NULL (nothing), as csv does not.
FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)')


def fields_of(text):
    """The rows of a CSV text, with None for fields that are empty and not quoted."""
    row, end = [], 0
    for match in FIELD.finditer(text):
        if match.start() != end:
            raise AssertionError(f"not CSV at {end}: {text[end:end + 80]!r}")
        end = match.end()
        quoted, plain, stop = match.groups()
        row.append(quoted.replace('""', '"') if quoted is not None else plain or None)
        if stop != ",":
            yield row
            row = []
    if end != len(text):
        raise AssertionError(f"not CSV at the end: {text[end:end + 80]!r}")


def float_of(column):
    """What makes the column's number of a text; None for columns that hold no floating point."""
    if column.kind != "float":
        return None
    return ctypes.c_float if column.type == "float32" else ctypes.c_double


def same_float(make, a, b):
    """Whether two texts are the same number of that width, -0 and 0 told apart. (The shortest digits of a number are not
    always the only ones.)"""
    return (make is not None and a is not None and b is not None and a.lstrip("-")[:1].isdigit() and b.lstrip("-")[:1].isdigit()
            and bytes(make(float(a))) == bytes(make(float(b))))


def check_csv(table, expected_path, path):
    """Reads the whole file with csv in strict mode; returns the number of rows."""
    floats = [float_of(c) for c in table.columns]
    with open(expected_path, encoding="utf-8", newline="") as expected_file, open(path, encoding="utf-8", newline="") as file:
        expected_rows = csv.reader(expected_file, strict=True)
        rows = csv.reader(file, strict=True)
        header = next(rows)
        assert header == [c.name for c in table.columns], header
        count = 0
        for expected, row in zip(expected_rows, rows, strict=True):
            count += 1
            expected = ["" if value == NULL else value for value in expected]
            if expected == row:
                continue
            for column, make, wanted, got in zip(table.columns, floats, expected, row, strict=True):
                assert wanted == got or same_float(make, wanted, got), f"row {count}: {column.name} is {got!r}, not {wanted!r}"
    return count


def check_csv_nulls(table, expected_path, path, characters=40_000_000):
    """The first part of the file again, by a reader that tells NULL from the empty string; returns the number of rows."""
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read(characters)
        while not text.endswith('\r\n') or text.count('"') % 2:
            more = file.readline()
            if not more:
                break
            text += more
    rows = fields_of(text)
    next(rows)
    count = 0
    with open(expected_path, encoding="utf-8", newline="") as expected_file:
        for expected, row in zip(csv.reader(expected_file, strict=True), rows):
            count += 1
            for column, wanted, got in zip(table.columns, expected, row, strict=True):
                wanted = None if wanted == NULL else wanted
                assert wanted == got or same_float(float_of(column), wanted, got), f"row {count}: {column.name} is {got!r}, not {wanted!r}"
    return count


def number(text):
    """Numbers keep their digits, and differ from strings of the same digits."""
    return "#" + text


def json_value(column):
    """What the canonical text of a column must be in JSON."""
    def of_number(text):
        return None if text in ("NaN", "Infinity", "-Infinity") else "#" + text
    def of_json(text):
        return json.loads(text, parse_int=number, parse_float=number)
    return {"number": of_number, "float": of_number, "json": of_json, "bool": "true".__eq__}.get(column.kind)


def check_jsonl(table, expected_path, path):
    names = [c.name for c in table.columns]
    readers = [json_value(c) for c in table.columns]
    floats = [float_of(c) for c in table.columns]
    decode = json.JSONDecoder(parse_int=number, parse_float=number).decode
    with open(expected_path, encoding="utf-8", newline="") as expected_file, open(path, encoding="utf-8", newline="\n") as file:
        count = 0
        for expected, line in zip(csv.reader(expected_file, strict=True), file, strict=True):
            count += 1
            row = decode(line)
            assert list(row) == names, list(row)
            for column, read, make, text, got in zip(names, readers, floats, expected, row.values()):
                wanted = None if text == NULL else read(text) if read else text
                if wanted != got and not (make and str(got).startswith("#") and same_float(make, wanted[1:], got[1:])):
                    raise AssertionError(f"row {count}: {column} is {got!r}, not {wanted!r}")
    return count


def check_json(table, lines_path, path):
    """The array's rows are the lines that check_jsonl() reads; a small one is also read as a whole."""
    with open(lines_path, "rb") as lines, open(path, "rb") as file:
        assert file.readline() == b"[\n"
        count = 0
        for line in lines:
            count += 1
            wanted = line[:-1] + (b",\n" if count < table.rows else b"\n")
            assert file.readline() == wanted, f"row {count} is not {wanted!r}"
        assert file.read() == b"]\n"
    if table.rows <= ROWS_BY_OTHER_KEYS:
        with open(path, encoding="utf-8") as file:
            assert len(json.load(file)) == count
    return count


class ReadBackTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="longshore-test-read-back-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.database = harness.Postgres()
        cls.addClassCleanup(cls.database.close)
        awkward_table.create_words(cls.database)

    def server(self, tables, rows, partitions):
        catalog = f"sources:\n  app: {self.database.source()}\ndatasets:\n" + "".join(t.dataset() for t in tables)
        per_partition = {1: 10 * rows, 2: rows * 6 // 10, 7: rows * 15 // 100}[partitions]
        settings = {"worker": {"partition_rows": per_partition, "partition_bytes": "1MiB"}}
        return harness.Server(self.directory / f"{tables[0].name}-{partitions}", catalog, settings)

    def expected(self, table):
        """The rows as psql has them."""
        path = self.directory / f"{table.name}.expected"
        self.database.copy_to(path, table.query(), f"FORMAT csv, NULL '{NULL}'", *awkward_table.SETTINGS)
        return path

    def request(self, table, format, compression):
        options = {"csv": MACHINE} if format == "csv" else {}
        return {"export_type": table.name, "format": format, "compression": compression, **options}

    def export_all(self, server, tables, partitions, digests):
        """Exports every table in every way; keeps the first plain file of each format, and compares all others with it."""
        asked = [(table, format, compression) for table in tables for format in ("csv", "jsonl") for compression in COMPRESSIONS]
        asked += [(table, "json", JSON_COMPRESSION[partitions]) for table in tables]
        exports = [(*ask, server.create(**self.request(*ask))["exportId"]) for ask in asked]
        for table, format, compression, export_id in exports:
            status = server.wait_succeeded(export_id)
            name = f"{table.name}, {format}, {partitions} partitions, {compression}"
            self.assertEqual(status["metrics"]["totalRowsProcessed"], table.rows, name)
            self.assertEqual(len(server.partitions(export_id)), partitions, name)
            secrets = []
            digest = server.digest(export_id, compression, watch=lambda chunk: secrets.append(awkward_table.OTHER.encode() in chunk))
            self.assertFalse(any(secrets), f"{name}: rows of another tenant")
            self.assertEqual(digests.setdefault((table.name, format), digest), digest, f"{name}: other bytes than the first export")
            path = self.directory / f"{table.name}.{format}"
            if not path.exists():
                server.download_to(path, export_id)
            server.call("DELETE", f"/v1/exports/{export_id}")

    def read_back(self, tables):
        """Every value of every table, the formats beside each other."""
        with multiprocessing.Pool(2) as pool:
            checks = []
            for table in tables:
                expected = self.expected(table)
                for check, format in ((check_jsonl, "jsonl"), (check_csv, "csv")):
                    path = self.directory / f"{table.name}.{format}"
                    checks.append((table, format, pool.apply_async(check, (table, expected, path))))
                array = pool.apply_async(check_json, (table, self.directory / f"{table.name}.jsonl", self.directory / f"{table.name}.json"))
                checks.append((table, "json", array))
                nulls = pool.apply_async(check_csv_nulls, (table, expected, self.directory / f"{table.name}.csv"))
                self.assertGreater(nulls.get(), min(table.rows, 50_000) - 1)
            for table, format, check in checks:
                self.assertEqual(check.get(), table.rows, f"{table.name} as {format}")

    def export_over_partitions(self, tables, rows):
        digests = {}
        for partitions in PARTITIONS:
            with self.server(tables, rows, partitions) as server:
                server.start()
                self.export_all(server, tables, partitions, digests)
                if partitions == 2:
                    self.check_other_tenant(server, tables[0])
                self.assertEqual(server.stop(), 0)

    def check_other_tenant(self, server, table):
        created = server.create(**self.request(table, "csv", "none"), token=harness.OTHER_TOKEN)
        status = server.wait_succeeded(created["exportId"], harness.OTHER_TOKEN)
        self.assertEqual(status["metrics"]["totalRowsProcessed"], table.rows // 10)

    def test_a_million_rows_of_every_type(self):
        table = awkward_table.awkward(ROWS)
        table.create(self.database)
        self.export_over_partitions([table], ROWS)
        self.read_back([table])

    def test_keys_of_every_kind(self):
        tables = awkward_table.tables_by_key(ROWS_BY_OTHER_KEYS)
        for table in tables:
            table.create(self.database)
        self.export_over_partitions(tables, ROWS_BY_OTHER_KEYS)
        self.read_back(tables)


if __name__ == "__main__":
    unittest.main()
