"""Open nbgrader's formgrader on graded submissions, to mark answers in words: `make mark SUBMISSIONS=folder`.

Points and comments given there come back into `gradebook.csv` and the feedback pages with the next `make grade`.

    python tools/assignments/mark.py GRADES [arguments for JupyterLab]
"""

import argparse
import os
import sys
from pathlib import Path


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("grades", type=Path)
    chosen, others = parser.parse_known_args(arguments)
    course = chosen.grades.expanduser().resolve() / "course"
    if not (course / "gradebook.db").exists():
        sys.exit(f"GRADES: expected a folder that `make grade` has written, got {chosen.grades}")
    binaries = Path(sys.executable).parent
    command = [str(binaries / "jupyter"), "lab", "--LabApp.default_url=/formgrader/gradebook", *others]
    os.chdir(course)  # where nbgrader looks for its settings
    os.environ["PATH"] = f"{binaries}{os.pathsep}{os.environ['PATH']}"
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
