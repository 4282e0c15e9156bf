#!/usr/bin/env python3
"""A MariaDB table of 200,000 awkward rows, exported by the built binary, is what the files hold.

The catalog is written by `catalog init` from the live server; the rows are read back from the files by Python's csv and
by DuckDB, and compared with what MariaDB's own client says.
"""

import csv
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness  # noqa: E402
import mariadb_server  # noqa: E402

READERS = harness.ROOT / "build/readers/node_modules"  # scripts/readers.sh puts them there
ROWS = 200_000
TABLE = """
CREATE TABLE events (
  tenant_id varchar(20) NOT NULL,
  id bigint unsigned NOT NULL,
  body varchar(200),
  amount decimal(30,6),
  at datetime(6),
  seen timestamp(3) NULL,
  flag boolean,
  score float,
  mood enum('zebra','it''s','ant'),
  PRIMARY KEY (tenant_id, id)
) COLLATE utf8mb4_general_ci"""
# Unsigned keys that fit no signed integer, quotes, line ends, backslashes, other scripts, empty texts, nulls, and a tenant that
# differs from the one that is exported by nothing but case.
INSERT = f"""
INSERT INTO events
SELECT IF(seq % 100 = 0, 'globex', 'acme'), 18446744073709551615 - seq * 7,
       CASE seq % 9 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN concat('a,"b"', char(10), 'c', seq) WHEN 3 THEN concat('back', char(92), 'slash ', seq)
            WHEN 4 THEN concat('Größe 😀 ', seq) WHEN 5 THEN concat(' spaces ', seq, '  ') WHEN 6 THEN concat('tab', char(9), char(13, 10), seq)
            WHEN 7 THEN concat('NULL', seq) ELSE repeat('x', seq % 190) END,
       IF(seq % 13 = 0, NULL, (CAST(seq AS SIGNED) - 100000) * 1234567890.000001),
       IF(seq % 17 = 0, NULL, TIMESTAMP'1000-01-01 00:00:00' + INTERVAL seq * 1000003 MICROSECOND + INTERVAL seq DAY),
       TIMESTAMP'2001-01-01 00:00:00' + INTERVAL seq MINUTE, seq % 2, seq / 7, elt(1 + seq % 3, 'zebra', 'it''s', 'ant')
  FROM seq_1_to_{ROWS}"""


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class MysqlTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = harness.temporary_directory()
        cls.directory = cls.temporary.__enter__()
        cls.addClassCleanup(cls.temporary.__exit__, None, None, None)
        # Not inside the test's own, which nobody else may enter: the server runs as another user.
        server = tempfile.mkdtemp(prefix="longshore-my-")
        cls.addClassCleanup(mariadb_server.stop, server)
        cls.url = mariadb_server.start(server, {})
        cls.port = cls.url.split(":")[-1].split("/")[0]
        cls.sql(TABLE)
        cls.sql("SET time_zone = '+00:00', sql_mode = 'NO_BACKSLASH_ESCAPES';" + INSERT)
        cls.sql("INSERT INTO events (tenant_id, id) VALUES ('ACME', 1); ANALYZE TABLE events")
        cls.catalog = cls.directory / "catalog.yaml"
        run(harness.BINARY, "catalog", "init", "--replica", "--source", cls.url, "-o", cls.catalog)
        text = cls.catalog.read_text()
        # Full speed, from the only server that there is.
        text = text.replace("driver: mysql\n", "driver: mysql\n    pacing: off\n")
        cls.catalog.write_text(text)

    @classmethod
    def sql(cls, statement):
        return run("mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", cls.port, "-u", "root", "--default-character-set=utf8mb4",
                   "-N", "--batch", "test", "-e", statement)

    def expected(self):
        """The rows by MariaDB's client, texts in hexadecimal digits."""
        rows = self.sql("SET time_zone = '+00:00'; SELECT id, HEX(body), amount, at, seen, flag, score + 0e0, mood FROM events "
                        "WHERE tenant_id = 'acme' AND CAST(tenant_id AS BINARY) = 'acme' ORDER BY id")
        for line in rows.splitlines():
            values = [None if value == "NULL" else value for value in line.split("\t")]
            if values[1] is not None:
                values[1] = bytes.fromhex(values[1]).decode()
            yield values

    def export(self, name, *options):
        path = self.directory / name
        run(harness.BINARY, "export", "events", "--local", "--catalog", self.catalog, "--tenant", "acme", "-q", "-o", path, *options)
        return path

    @staticmethod
    def moment(text):
        """`2026-01-01 00:00:00.5` as the files have it."""
        return None if text is None else datetime.datetime.fromisoformat(text)

    def test_the_catalog_is_proved(self):
        run(harness.BINARY, "catalog", "check", self.catalog)

    def test_csv_holds_every_row(self):
        path = self.export("events.csv", "--csv-profile", "machine")
        with open(path, newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            self.assertEqual(next(rows), ["id", "body", "amount", "at", "seen", "flag", "score", "mood"])
            count = 0
            for got, want in zip(rows, self.expected(), strict=True):
                count += 1
                self.assertEqual(got[0], want[0])
                self.assertEqual(got[1], want[1] or "")
                self.assertEqual(got[2], want[2] or "")
                self.assertEqual(self.moment(got[3] or None), self.moment(want[3]))
                self.assertEqual(self.moment(got[4].removesuffix("Z")), self.moment(want[4]))
                self.assertEqual(got[5], "true" if want[5] == "1" else "false")
                self.assertAlmostEqual(float(got[6]), float(want[6]), delta=abs(float(want[6])) * 1e-6)
                self.assertEqual(got[7], want[7])
        self.assertEqual(count, ROWS - ROWS // 100)

    def test_jsonl_tells_null_from_empty(self):
        path = self.export("events.jsonl", "--columns", "id,body,mood")
        with open(path, encoding="utf-8") as file:
            for line, want in zip(file, self.expected(), strict=True):
                got = json.loads(line, parse_int=str, parse_float=str)
                self.assertEqual([str(got["id"]), got["body"], got["mood"]], [want[0], want[1], want[7]])

    def test_parquet_holds_every_row(self):
        path = self.export("events.parquet", "--columns", "id,body,mood")
        rows = self.directory / "rows.ndjson"
        with open(rows, "w") as output:
            done = subprocess.run(["node", str(harness.ROOT / "tests/system/readers/parquet_rows.cjs"), str(path), "id", "body", "mood"],
                                  stdout=output, stderr=subprocess.PIPE, text=True, env={**os.environ, "NODE_PATH": str(READERS)})
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(rows, encoding="utf-8") as file:
            for line, want in zip(file, self.expected(), strict=True):
                got = json.loads(line)
                self.assertEqual(got[1:], [want[1], want[7]])


if __name__ == "__main__":
    unittest.main()
