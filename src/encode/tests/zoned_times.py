"""Reads files of instants that zoned_time_test.cpp wrote, in several formats and zones, and checks every text.

zoned_times.py FILE...: FILE is ZONE (its `/` a `~`) with the extension csv, jsonl or json; its rows are `micros`, an instant as
an integer, and `at`, the same as timestamptz. Ends with an error at the first difference.
"""
import csv
import json
import pathlib
import re
import sys
import zoneinfo
from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# RFC 3339 section 5.6, with the upper-case letters and the 0 or 6 fractional digits that we write.
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?(Z|[+-]\d\d:\d\d)")


def rows_of(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        return [(int(row["micros"]), row["at"]) for row in csv.DictReader(text.splitlines())]
    rows = json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]
    return [(row["micros"], row["at"]) for row in rows]


def check(zone, micros, text):
    assert RFC_3339.fullmatch(text), text
    read = datetime.fromisoformat(text.replace("Z", "+00:00"))
    instant = EPOCH + timedelta(microseconds=micros)
    assert read == instant, f"{text} is {read - instant} from {instant}"
    offset = instant.astimezone(zone).utcoffset()
    difference = abs(read.utcoffset() - offset)
    assert difference <= timedelta(seconds=30 if offset.total_seconds() % 60 else 0), f"{text}: the offset should be {offset}"


def main():
    for name in sys.argv[1:]:
        path = pathlib.Path(name)
        zone = zoneinfo.ZoneInfo(path.stem.replace("~", "/"))
        rows = rows_of(path)
        assert len(rows) == 6000, len(rows)
        for row, (micros, text) in enumerate(rows):
            try:
                check(zone, micros, text)
            except Exception as error:
                raise SystemExit(f"{path.name}, row {row}: {error}") from error


main()
