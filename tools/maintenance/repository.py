"""Change the repository's address everywhere: `make repository URL=https://github.com/ACCOUNT/NAME`.

`_config.yml` holds it; the notebooks' first cells and a few documents repeat it, because Colab and GitHub read those.
"""

import re
import subprocess
import sys

from notebooks import ROOT, repository_address

DOCUMENTS = ("_config.yml", "README.md", "CONTRIBUTING.md", "book/how_to_use.md")


def main(arguments):
    if len(arguments) != 1 or not re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+", arguments[0].rstrip("/")):
        sys.exit("URL: expected https://HOST/ACCOUNT/NAME, got " + (" ".join(arguments) or "nothing"))
    old, new = repository_address(), arguments[0].rstrip("/").removesuffix(".git")
    name = new.rsplit("/", 1)[1]
    for document in DOCUMENTS:
        path = ROOT / document
        text = path.read_text("utf-8").replace(old, new).replace(f"cd {old.rsplit('/', 1)[1]}\n", f"cd {name}\n")
        path.write_text(text, "utf-8")
    for tool in (["maintenance/notebooks.py"], ["assignments/versions.py", "--release-only"]):
        subprocess.run([sys.executable, str(ROOT / "tools" / tool[0]), *tool[1:]], check=True)
    print(f"{old} -> {new}")


if __name__ == "__main__":
    main(sys.argv[1:])
