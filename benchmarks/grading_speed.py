"""A class of submissions, a tenth of them broken, graded with a SIGKILL on the way: seconds, and what was lost.

python benchmarks/grading_speed.py [N]        N is 200 by default, which takes a quarter of an hour on two cores
"""

import csv
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "assignments"), str(ROOT / "tools" / "assignments")]
from classroom import NOT_NOTEBOOKS, make_class  # noqa: E402


def state(*folders):
    """Name, size and time of change of every file below some folders."""
    files = (path for folder in folders for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in files if path.is_file()}


def main(n=200):
    with tempfile.TemporaryDirectory() as place:
        folder, victim = Path(place) / "class", Path(place) / "victim"
        victim.mkdir()
        (victim / "secret.txt").write_text("what-the-host-keeps-to-itself")
        expected = make_class(folder, n, seed=1, share_broken=0.1, victim=victim)
        watched = [folder, victim, ROOT / "aelib", ROOT / "notebooks", ROOT / "tools"]
        before, grades = state(*watched), Path(place) / "class-graded"
        command = [sys.executable, str(ROOT / "tools" / "assignments" / "grade.py"), str(folder)]

        started = time.monotonic()
        first = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while len(list(grades.glob("results/*.json"))) < 0.3 * n and first.poll() is None:
            time.sleep(0.2)
        first.send_signal(signal.SIGKILL)
        first.wait()
        kept = state(grades / "results")
        second = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds = time.monotonic() - started

        with (grades / "gradebook.csv").open(encoding="utf-8") as table:
            rows = {row["file"]: row for row in csv.DictReader(table)}
        graded = [row for row in rows.values() if row["points"]]
        wrong = [
            file for file, (_, points, kind) in expected.items()
            if kind == "ok" and (float(rows[file]["points"]) != points or rows[file]["flags"])
        ]  # fmt: skip
        unnoticed = [
            file for file, (_, points, kind) in expected.items()
            if kind != "ok" and not rows[file]["flags"] and not float(rows[file]["points"] or 0) < points
        ]  # fmt: skip
        secret = [p for p in grades.rglob("*") if p.is_file() and b"what-the-host-keeps" in p.read_bytes()]
        print(second.stdout.splitlines()[0])
        print(f"{seconds:.0f} s in all, {seconds / len(graded):.1f} s for each of {len(graded)} graded notebooks")
        print(f"each by itself: {statistics.median(float(row['seconds']) for row in graded):.1f} s (median)")
        print(f"killed after {len(kept)}; of these run again: {len(kept.items() - state(grades / 'results').items())}")
        strange = sum(kind in NOT_NOTEBOOKS for *_, kind in expected.values())
        print(f"files lost: {len(set(expected) - set(rows))}; files that are no notebook: {strange}")
        print(f"sound submissions with other points than expected, or a flag: {wrong or 0}")
        print(f"broken ones that cost nothing and were not flagged: {unnoticed or 0}")
        touched = before.items() ^ state(*watched).items()
        print(f"files touched outside the grades: {len(touched)}; files with the host's secret: {len(secret)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
