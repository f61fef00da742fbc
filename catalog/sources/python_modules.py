"""Source code of every kind: the modules of Python's standard library, packages left out."""

import sysconfig
import tokenize
from collections.abc import Iterator
from pathlib import Path

from catalog.records import Code
from catalog.sources import PYTHON, source


@source(table="raw.modules", licence="PSF-2.0", package=PYTHON, part="standard library")
def python_modules() -> Iterator[tuple[Code, str]]:
    """Whole files; some are about mathematics, most about other things."""
    for file in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        if not file.name.startswith("_"):  # generated, or the inner part of another
            with tokenize.open(file) as opened:
                yield Code(code=opened.read(), name=file.name), file.name
