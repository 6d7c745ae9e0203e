"""Runs nsls again and again, and checks every run: the exit code, the JSON, the
namespaces that are there all the time, and whether `complete` is honest. Prints
what was seen of each kind, and what was wrong."""

import collections
import json
import os
import subprocess
import sys

runs = int(sys.argv[1])
steady = {int(ino) for ino in sys.argv[2].split()}
# It is there all the time, too, but passed from process to process.
baton = int(sys.argv[3])
KEYS = {"version", "complete", "gaps", "sources", "namespaces"}
ROW = {"ns", "type", "nprocs", "pid", "command"}
seen, wrong = collections.Counter(), []


def check(run, result):
    listing = json.loads(result.stdout)
    complete = listing["complete"]
    assert listing.keys() == KEYS and listing["version"] == 1, "keys"
    assert result.returncode == (0 if complete else 3), f"exit code {result.returncode}"
    assert complete != any(gap["hides"] for gap in listing["gaps"]), "gaps"
    assert bool(result.stderr) == (not complete or listing["gaps"] != []), "stderr"
    rows = listing["namespaces"]
    assert all(row.keys() == ROW for row in rows), "columns"
    numbers = [row["ns"] for row in rows]
    # Two types may have the same number, one after the other.
    assert numbers == sorted(numbers), "order"
    assert len({(row["ns"], row["type"]) for row in rows}) == len(rows), "repeated"
    for row in rows:
        is_empty = row["nprocs"] == 0
        assert (row["pid"] is None) == (row["command"] is None) == is_empty, f"row {row}"
    assert steady <= set(numbers), f"missing: {steady - set(numbers)}"
    has_baton = baton in numbers
    assert has_baton or not complete, "complete without the baton"
    seen["complete" if complete else "incomplete"] += 1
    seen["baton" if has_baton else "no baton"] += 1
    # The pid namespace holds the shell, the storms and their children.
    seen["storm"] += any(row["type"] == "pid" and row["nprocs"] > 50 for row in rows)


command = [os.environ["NSLS"], "--json", "--strict", "-o", "ns,type,nprocs,pid,command"]
for run in range(runs):
    result = subprocess.run(command, capture_output=True, timeout=60)
    try:
        check(run, result)
    except (AssertionError, ValueError, KeyError) as error:
        wrong.append(f"run {run}: {error}: {result.stderr.decode(errors='replace')}")
print(json.dumps({"seen": seen, "wrong": wrong}))
