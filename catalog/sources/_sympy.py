"""Which part of sympy is read: subjects of mathematics, rather than its own machinery."""

PACKAGE = "sympy"
LICENCE = "BSD-3-Clause"
PART = "five subjects"
FOLDERS = ("concrete", "discrete", "ntheory", "series", "sets")
