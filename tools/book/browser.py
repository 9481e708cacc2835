"""Which browser prints the book and looks at its pages."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def browser():
    """The path of a Chromium: $AELIB_BROWSER, or one on the path, or None."""
    return os.environ.get("AELIB_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
