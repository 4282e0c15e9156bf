"""Every format through the API, from PostgreSQL to a file that programs of others open: values, sheets, pages, options.

What each encoder makes of each type is proved beside it, in src/encode; here the whole way is: what the database holds is
what a reader finds, whatever stands between.
"""

import csv
import ctypes
import io
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import zipfile
from decimal import Decimal

import openpyxl

import awkward_table
import harness

ROWS = 12_000
SHEET_ROWS = int(os.environ.get("LONGSHORE_TEST_SHEET_ROWS", "2500000"))
ROWS_OF_A_SHEET = 1_048_575
NULL = "~null~"
READERS = harness.ROOT / "build/readers/node_modules"

INFINITE = {"infinity", "-infinity"}
# Columns whose canonical text is a number of the unit that parquet_rows.cjs gives.
PARQUET_NUMBERS = {"date": "({0} - DATE '1970-01-01')::text", "timestamp": "(extract(epoch FROM {0}) * 1000000)::bigint::text",
                   "timestamptz": "(extract(epoch FROM {0}) * 1000000)::bigint::text"}


def parquet_query(table):
    """As Table.query(), with the units of parquet_rows.cjs; infinite values are NULL, as they are in the file."""
    columns = []
    for column in table.columns:
        if unit := PARQUET_NUMBERS.get(column.type):
            columns.append(f"CASE WHEN isfinite({column.sql_name}) THEN {unit.format(column.sql_name)} END")
        else:
            columns.append(column.canonical.replace("{}", column.sql_name))
    key = ", ".join(f"{table.name}.{c.sql_name}" for c in table.key)
    return f"SELECT {', '.join(columns)} FROM {table.name} WHERE tenant_id = '{awkward_table.TENANT}' ORDER BY {key}"


def same_number(a, b):
    return Decimal(a) == Decimal(b) or (Decimal(a).is_nan() and Decimal(b).is_nan())


def same_float(column, a, b):
    make = ctypes.c_float if column.type == "float32" else ctypes.c_double
    return same_number(a, b) or bytes(make(float(a))) == bytes(make(float(b)))


class FormatsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="longshore-test-formats-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.database = harness.Postgres()
        cls.addClassCleanup(cls.database.close)
        awkward_table.create_words(cls.database)
        cls.table = awkward_table.awkward(ROWS)
        cls.table.create(cls.database)
        cls.database.sql(
            f"CREATE TABLE long_list AS SELECT g AS id, 'acme' AS tenant_id, 'item ' || g AS name FROM generate_series(1, {SHEET_ROWS}) g",
            "ALTER TABLE long_list ADD PRIMARY KEY (id)", "VACUUM ANALYZE long_list")
        catalog = (f"sources:\n  app: {cls.database.source()}\ndatasets:\n{cls.table.dataset()}"
                   "  long_list:\n    source: app\n    relation: public.long_list\n    tenant_column: tenant_id\n    key: [id]\n"
                   "    columns:\n      id: { type: int32 }\n      name: { type: text }\n    filters: [id]\n")
        settings = {"worker": {"partition_rows": 4_000, "partition_bytes": "1MiB"}}
        cls.server = harness.Server(cls.directory / "server", catalog, settings)
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__, None)
        cls.server.start()

    def expected(self, query):
        path = self.directory / "expected.csv"
        self.database.copy_to(path, query, f"FORMAT csv, NULL '{NULL}'", *awkward_table.SETTINGS)
        with open(path, encoding="utf-8", newline="") as file:
            yield from ([None if value == NULL else value for value in row] for row in csv.reader(file, strict=True))

    def export_file(self, name, **request):
        created = self.server.create(**request)
        status = self.server.wait_succeeded(created["exportId"])
        path = self.directory / name
        self.server.download_to(path, created["exportId"])
        self.server.verify(created["exportId"], self.directory)
        return status, path

    def check_rows(self, rows, query, same):
        """`same(column, wanted, got)` says whether a value is what the database holds."""
        count = 0
        for wanted_row, row in itertools.zip_longest(self.expected(query), rows):
            count += 1
            self.assertIsNotNone(row, f"only {count - 1} rows")
            self.assertIsNotNone(wanted_row, f"more than {count - 1} rows")
            for column, wanted, got in zip(self.table.columns, wanted_row, row, strict=True):
                if wanted != got and not same(column, wanted, got):
                    self.fail(f"row {count}: {column.name} is {got!r}, not {wanted!r}")
        self.assertEqual(count, ROWS)

    # --- JSON

    def test_json_is_one_array_of_the_same_rows_as_jsonl(self):
        _, array = self.export_file("rows.json", export_type="awkward", format="json")
        _, lines = self.export_file("rows.jsonl", export_type="awkward", format="jsonl")
        with open(lines, encoding="utf-8", newline="\n") as file:
            by_line = [json.loads(line, parse_float=str) for line in file]
        with open(array, encoding="utf-8") as file:
            self.assertEqual(json.load(file, parse_float=str), by_line)
        node = subprocess.run(["node", "-e", "console.log(JSON.parse(require('fs').readFileSync(process.argv[1])).length)", str(array)],
                              capture_output=True, text=True, check=True)
        self.assertEqual(int(node.stdout), ROWS)

    # --- Parquet

    def parquet_rows(self, path):
        command = ["node", str(harness.ROOT / "tests/system/readers/parquet_rows.cjs"), str(path), *(c.name for c in self.table.columns)]
        output = self.directory / "parquet.ndjson"
        with open(output, "wb") as file:
            done = subprocess.run(command, stdout=file, stderr=subprocess.PIPE, text=True, env={**os.environ, "NODE_PATH": str(READERS)})
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(output, encoding="utf-8", newline="\n") as file:
            yield from (json.loads(line) for line in file)

    def same_in_parquet(self, column, wanted, got):
        if column.type == "time" and wanted == "24:00:00":
            return got is None  # a day has no such time there
        if wanted is None or got is None:
            return False
        if column.kind == "float":
            return same_float(column, wanted, got)
        if column.type.endswith("[]") or column.kind == "json":
            return json.loads(wanted, parse_float=str) == json.loads(got, parse_float=str)
        return False

    def test_parquet_holds_every_value(self):
        for options in ({}, {"profile": "modern", "compression": "snappy"}):
            with self.subTest(options):
                status, path = self.export_file("rows.parquet", export_type="awkward", format="parquet", **({"parquet": options} if options else {}))
                self.assertEqual(status["metrics"]["totalRowsProcessed"], ROWS)
                nested = {"numbers"}  # arrays of arrays have no place in a list of numbers
                self.check_rows(self.parquet_rows(path), parquet_query(self.table),
                                lambda column, wanted, got: column.name in nested and wanted.startswith("[[") or self.same_in_parquet(column, wanted, got))

    # --- XLSX

    def test_xlsx_holds_every_value(self):
        status, path = self.export_file("rows.xlsx", export_type="awkward", format="xlsx", xlsx={"sheetName": "Awkward rows"})
        book = openpyxl.load_workbook(path, read_only=True)
        self.assertEqual(book.sheetnames, ["Awkward rows"])
        rows = book["Awkward rows"].iter_rows(values_only=True)
        self.assertEqual(list(next(rows)), [c.name for c in self.table.columns])
        reported = {c["column"]: c for c in status["fidelity"]}

        def same(column, wanted, got):
            if wanted is None or got is None:
                # The empty text and what was replaced may read as nothing.
                return got is None and (wanted == "" or reported.get(column.name, {}).get("replaced", 0) > 0)
            if column.kind in ("number", "float"):
                if isinstance(got, str):
                    return wanted == got or same_number(wanted, got)
                return same_float(column, wanted, repr(got)) if column.kind == "float" else same_number(wanted, repr(got))
            if column.kind == "bool":
                return got is (wanted == "true")
            if column.type in ("date", "time", "timestamp", "timestamptz"):
                return not isinstance(got, str)  # a date of Excel's; which one is proved beside the encoder
            # openpyxl gives the escapes of control characters as they stand in the file.
            plain = re.sub(r"_x([0-9A-F]{4})_", lambda m: chr(int(m[1], 16)), got) if isinstance(got, str) else str(got)
            lines = str.maketrans({"\r": "\n"})
            return plain.replace("\r\n", "\n").translate(lines) == wanted.replace("\r\n", "\n").translate(lines) or column.kind == "json" and json.loads(plain) == json.loads(wanted)
        self.check_rows((list(row) for row in rows), self.table.query(), same)

    def test_xlsx_rolls_over_to_further_sheets(self):
        estimate = self.server.json("POST", "/v1/exports/estimate", {"exportType": "long_list", "format": "xlsx"})
        self.assertGreaterEqual(estimate["rows"], SHEET_ROWS * 0.9)
        _, path = self.export_file("long.xlsx", export_type="long_list", format="xlsx")
        next_id = 1
        with zipfile.ZipFile(path) as file:
            self.assertIsNone(file.testzip())
            sheets = [name for name in file.namelist() if name.startswith("xl/worksheets/")]
            self.assertEqual(len(sheets), -(-SHEET_ROWS // ROWS_OF_A_SHEET))
            for name in sheets:
                rows, tail = 0, b""
                with file.open(name) as sheet:
                    while chunk := sheet.read(1 << 22):
                        text = tail + chunk
                        end = text.rfind(b"</row>") + len(b"</row>")
                        tail = text[end:]
                        for row in re.findall(rb"<row[^>]*>(.*?)</row>", text[:end], re.DOTALL):
                            rows += 1
                            if rows > 1:
                                number, item = re.findall(rb"<(?:v|t)[^>]*>([^<]*)</(?:v|t)>", row)
                                self.assertEqual((int(number), item), (next_id, b"item %d" % next_id))
                                next_id += 1
                self.assertLessEqual(rows, ROWS_OF_A_SHEET + 1)
        self.assertEqual(next_id - 1, SHEET_ROWS)

    # --- PDF

    def test_pdf_is_a_report_with_every_row_and_page_numbers(self):
        request = {"export_type": "long_list", "format": "pdf", "filters": {"id": {"lte": 5_000}}, "title": "All the items",
                   "pdf": {"orientation": "landscape", "pageSize": "letter"}}
        _, path = self.export_file("report.pdf", **request)
        subprocess.run(["qpdf", "--check", str(path)], check=True, capture_output=True)
        info = subprocess.run(["pdfinfo", str(path)], check=True, capture_output=True, text=True).stdout
        pages = int(re.search(r"Pages:\s+(\d+)", info)[1])
        self.assertIn("792 x 612 pts", info)
        self.assertIn("All the items", info)
        text = subprocess.run(["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, text=True).stdout
        found = [int(number) for number in re.findall(r"item (\d+)$", text, re.MULTILINE)]
        self.assertEqual(found, list(range(1, 5_001)))
        for number, page in enumerate(text.split("\f")[:pages], start=1):
            self.assertRegex(page, rf"\b{number} of {pages}\b")
            self.assertRegex(page, r"id\s+name")

    def test_what_a_pdf_cannot_hold_is_said_before_and_by_the_export(self):
        body = {"exportType": "long_list", "format": "pdf"}
        estimate = self.server.json("POST", "/v1/exports/estimate", body)
        self.assertIn("200000", json.dumps(estimate).replace(",", ""))
        created = self.server.create(export_type="long_list", format="pdf")
        status = self.server.wait_finished(created["exportId"])
        self.assertEqual(status["status"], "FAILED")
        self.assertEqual(status["error"]["code"], "too_many_rows")
        self.assertRegex(status["error"]["message"].replace(",", ""), r"200000")

    # --- all of them

    def test_no_rows_are_a_file_too(self):
        for format in ("csv", "jsonl", "json", "parquet", "xlsx", "pdf"):
            with self.subTest(format):
                status, path = self.export_file(f"empty.{format}", export_type="long_list", format=format, filters={"id": -1})
                self.assertEqual(status["metrics"]["totalRowsProcessed"], 0)
                self.assertTrue(path.exists())
        self.assertEqual(json.loads((self.directory / "empty.json").read_text()), [])
        book = openpyxl.load_workbook(self.directory / "empty.xlsx")
        self.assertEqual([[cell.value for cell in row] for row in book.active.iter_rows()], [["id", "name"]])

    def test_times_are_shown_in_the_zone_asked_for(self):
        _, path = self.export_file("zone.csv", export_type="awkward", format="csv", columns=["id", "moment"], timeZone="Europe/Berlin")
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))[1:]
        offsets = {row[1][-6:] for row in rows if row[1][:2] == "20"}
        self.assertEqual(offsets, {"+01:00", "+02:00"})


if __name__ == "__main__":
    unittest.main()
