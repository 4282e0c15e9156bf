"""report.py LONGSHORE.json DUCKDB.json: one JSON line for each figure.

Throughput counts the bytes before compression, in millions a second on one core; `ratio` is ours over the reference.
"""
import json
import sys


def figure(name, value, unit, reference=None):
    line = {"name": name, "value": round(value, 3), "unit": unit, "reference": None, "ratio": None}
    if reference:
        line["reference"] = round(reference, 3)
        line["ratio"] = round(value / reference, 2)
    print(json.dumps(line))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        ours = json.load(file)["benchmarks"]
    with open(sys.argv[2], encoding="utf-8") as file:
        theirs = json.load(file)
    for run in ours:
        if run.get("aggregate_name") != "median":
            continue
        kind, nulls = run["run_name"].split("/nulls:")
        name = f"encode_{kind}_nulls_{nulls}"
        # The reference has the rows with one null in ten cells.
        reference = theirs.get(kind.removesuffix("_machine"), {}) if nulls == "10" else {}
        figure(name + "_throughput", run["bytes_per_second"] / 1e6, "MB/s",
               reference.get("bytes_per_second", 0) / 1e6)
        figure(name + "_rows", run["items_per_second"] / 1e6, "Mrows/s", reference.get("rows_per_second", 0) / 1e6)
        if run["ratio"] > 1.01:
            figure(name + "_compression", run["ratio"], "raw bytes per byte")


main()
