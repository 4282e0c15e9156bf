"""Data that nobody here invented: the country, place, language, script and currency names of the Debian package
iso-codes, with their translations, loaded into PostgreSQL, exported, and read back equal with Python and Node."""

import csv
import gzip
import io
import json
import pathlib
import shutil
import struct
import subprocess
import unittest

import harness

CODES = pathlib.Path("/usr/share/iso-codes/json")
TRANSLATIONS = pathlib.Path("/usr/share/locale")
TRANSLATED = ("iso_3166-1", "iso_4217", "iso_15924", "iso_639-2")

READ_WITH_NODE = """
const zlib = require("zlib"), fs = require("fs");
const lines = zlib.gunzipSync(fs.readFileSync(process.argv[1])).toString("utf8").split("\\n");
if (lines.pop() !== "") throw new Error("the last line has no end");
process.stdout.write(JSON.stringify(lines.map(line => Object.values(JSON.parse(line)))));
"""


def read_entries():
    """(standard, code, name, entry) of every entry, in the order of the key."""
    rows = []
    for path in CODES.glob("iso_*.json"):
        (standard, entries), = json.loads(path.read_text(encoding="utf-8")).items()
        for entry in entries:
            code = entry.get("code") or entry.get("alpha_4") or entry["alpha_3"]
            rows.append((standard, code, entry["name"], entry))
    return sorted(rows, key=lambda row: row[:2])


def read_catalog(path):
    """The messages of a GNU gettext .mo file."""
    data = path.read_bytes()
    order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"
    count, originals, translations = struct.unpack_from(order + "8x3I", data)
    for i in range(count):
        texts = []
        for table in (originals, translations):
            size, offset = struct.unpack_from(order + "2I", data, table + 8 * i)
            texts.append(data[offset:offset + size].decode("utf-8"))
        if texts[0]:
            yield texts


def read_translations():
    """(language, standard, original, translation), in the order of the key."""
    return sorted((path.parts[-3], path.stem, original, translation) for path in TRANSLATIONS.glob("*/LC_MESSAGES/iso_*.mo")
                  if path.stem in TRANSLATED for original, translation in read_catalog(path))


@unittest.skipUnless(CODES.is_dir(), "the package iso-codes is not installed")
class RealWorldTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(cls.enterClassContext(harness.temporary_directory()))
        database = cls.enterClassContext(harness.Postgres())
        cls.entries = read_entries()
        cls.translations = read_translations()
        database.sql(
            "CREATE TABLE entries (tenant_id text NOT NULL, standard text, code text, name text, entry jsonb, PRIMARY KEY (tenant_id, standard, code))",
            "CREATE TABLE names (tenant_id text NOT NULL, language text, standard text, original text, translation text, "
            "PRIMARY KEY (tenant_id, language, standard, original))")
        for tenant in ("acme", "globex"):
            some = 1 if tenant == "acme" else 10
            database.copy_from("entries", ((tenant, *row[:3], json.dumps(row[3], ensure_ascii=False)) for row in cls.entries[::some]))
            database.copy_from("names", ((tenant, *row) for row in cls.translations[::some]))
        database.sql("ANALYZE")
        catalog = f"""
sources:
  iso: {database.source()}
datasets:
  entries:
    source: iso
    relation: entries
    tenant_column: tenant_id
    key: [standard, code]
    columns: {{ standard: {{ type: text }}, code: {{ type: text }}, name: {{ type: text }}, entry: {{ type: json }} }}
  names:
    source: iso
    relation: names
    tenant_column: tenant_id
    key: [language, standard, original]
    columns: {{ language: {{ type: text }}, standard: {{ type: text }}, original: {{ type: text }}, translation: {{ type: text }} }}
"""
        settings = {"worker": {"partition_rows": 5000, "partition_bytes": "1MiB"}}
        cls.server = cls.enterClassContext(harness.Server(cls.directory / "server", catalog, settings))
        cls.server.start()

    def export(self, dataset, format, compression="none", **fields):
        created = self.server.create(dataset, format, compression=compression, **fields)["exportId"]
        self.server.wait_succeeded(created)
        return self.server.download(created)

    def csv_rows(self, data):
        rows = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True)
        return next(rows), [tuple(row) for row in rows]

    def test_entries_as_csv(self):
        header, rows = self.csv_rows(self.export("entries", "csv", csv={"profile": "machine"}))
        self.assertEqual(header, ["standard", "code", "name", "entry"])
        self.assertEqual([(*row[:3], json.loads(row[3])) for row in rows], self.entries)

    def test_entries_as_jsonl(self):
        lines = self.export("entries", "jsonl").decode("utf-8").splitlines(keepends=True)
        self.assertTrue(all(line.endswith("\n") for line in lines))
        self.assertEqual([tuple(json.loads(line).values()) for line in lines], self.entries)

    def test_names_as_csv(self):
        self.require_translations()
        _, rows = self.csv_rows(gzip.decompress(self.export("names", "csv", "gzip", csv={"profile": "machine"})))
        self.assertEqual(rows, self.translations)

    def test_names_for_spreadsheets(self):
        self.require_translations()
        _, rows = self.csv_rows(self.export("names", "csv"))
        def guarded(text):
            return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
        self.assertEqual(rows, [tuple(map(guarded, row)) for row in self.translations])

    def test_names_read_by_node(self):
        self.require_translations()
        node = shutil.which("node")
        if not node:
            self.skipTest("node is not installed")
        path = self.directory / "names.jsonl.gz"
        path.write_bytes(self.export("names", "jsonl", "gzip"))
        done = subprocess.run([node, "-e", READ_WITH_NODE, str(path)], capture_output=True, check=True)
        self.assertEqual([tuple(row) for row in json.loads(done.stdout)], self.translations)

    def require_translations(self):
        if len(self.translations) < 1000:
            self.skipTest("the translations of iso-codes are not installed (path-exclude of dpkg?)")


if __name__ == "__main__":
    unittest.main()
