"""Every figure beside that of what one would use instead, from one run: `make bench`, or some of it by name.

Each file here that has `lines()` is a benchmark, and can be run on its own.
"""

import argparse
import importlib
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from table import Line, show  # noqa: E402 - found by the line above

NAMES = sorted(file.stem for file in HERE.glob("*.py") if "\ndef lines(" in file.read_text("utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all where none is given")
    given = parser.parse_args()
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"{', '.join(sorted(unknown))}: no such benchmark; there are {', '.join(NAMES)}")
    for name in given.names or NAMES:
        print(name, flush=True)
        lines: list[Line] = importlib.import_module(name).lines()
        show(lines)


if __name__ == "__main__":
    main()
