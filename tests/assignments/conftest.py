"""The tools that write, run and grade the problem sets are programs, not a package: put them on the path."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "assignments"))
