"""What a solution states as its answer, and whether two answers say the same (operators.md 14, answer match)."""

import ast
import math
import re
from fractions import Fraction
from typing import Any

_STATED = re.compile(r"(?:\banswer\s*(?:is|:|=)|####)\s*(?:equal to\s+)?:?", re.IGNORECASE)
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_QUANTITY = re.compile(
    rf"(?P<money>[$€£]?)\s*(?P<sign>[-+]?)\s*[$€£]?\s*(?:(?P<whole>\d+)\s+(?=\d+/\d))?"
    rf"(?P<top>{_NUMBER})(?:\s*/\s*(?P<bottom>{_NUMBER}))?\s*(?P<percent>%?)\s*(?P<unit>°|[A-Za-z][A-Za-z .^/23²³]*)?"
)
_FUNCTIONS = {
    **{name: name for name in ("sqrt", "sin", "cos", "tan", "sec", "csc", "cot", "asin", "acos", "atan", "exp", "log")},
    "ln": "log",
    "abs": "Abs",
}
_CONSTANTS = {"pi": "pi", "e": "E", "inf": "oo"}
_LONGEST = 200  # characters of an expression; what a model writes must not keep the CAS busy for minutes
_LARGEST = 4000  # bits of a power of numbers


def final_answer(text: str) -> str:
    r"""The answer that a solution states last, in `\boxed{}` or after "the answer is", "answer:", `####`."""
    if boxed := _boxed(text):
        return boxed
    *_, said = ["", *_STATED.split(text)] if _STATED.search(text) else [""]
    line = next((line for line in said.splitlines() if line.strip()), "").strip()
    # A full stop ends the answer unless it is a decimal point.
    return re.split(r"\.(?=\s|$)", line)[0].strip().strip("*_`\"'").strip()


def same_answer(one: str, other: str) -> bool:
    """Whether two answers say the same: as text, as a quantity, part by part, or as expressions under sympy."""
    one, other = normal(one), normal(other)
    if ("=" in one) != ("=" in other):  # "3 * 4 = 12" says 12
        one, other = (text.rpartition("=")[2].strip() for text in (one, other))
    if not one or not other:
        return False
    if one.casefold() == other.casefold():
        return True
    first, second = _quantity(one), _quantity(other)
    if first and second:
        return _same_quantity(first, second)
    parts, others = _parts(one), _parts(other)
    if len(parts) > 1 or len(others) > 1:
        return len(parts) == len(others) and all(map(same_answer, parts, others))
    return _equivalent(one, other)


def normal(answer: str) -> str:
    r"""An answer in plain notation: without LaTeX's layout, `\boxed`, or the stop at its end."""
    text = (_boxed(answer) or answer).strip()
    text = re.sub(r"\\(?:text|mathrm|mbox|operatorname)\s*\{([^{}]*)\}", r" \1 ", text)
    text = re.sub(r"\\d?t?frac\s*(\d)\s*(\d)", r"(\1)/(\2)", text)
    for _ in range(4):  # fractions and roots may be nested
        text = re.sub(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"(\1)/(\2)", text)
        text = re.sub(r"\\sqrt\s*\{([^{}]*)\}", r"sqrt(\1)", text)
        text = re.sub(r"\^\s*\{([^{}]*)\}", r"^(\1)", text)
    text = re.sub(r"\\(?:left|right|displaystyle|[,;:! ])|\\\(|\\\)|\\\[|\\\]", "", text)
    text = re.sub(r"\^?\\circ|\^°", "°", text)
    for latex, plain in (("\\cdot", "*"), ("\\times", "*"), ("\\div", "/"), ("×", "*"), ("−", "-"), ("\\infty", "inf")):
        text = text.replace(latex, plain)
    text = re.sub(r"\\([%$#_{}])", r"\1", text)
    text = re.sub(r"\\([A-Za-z]+)", r"\1", text)
    if re.fullmatch(r"\$[^$]*\$", text):
        text = text[1:-1]
    text = re.sub(r"\(([\d.]+)\)\s*/\s*\(([\d.]+)\)", r"\1/\2", text)
    return " ".join(text.rstrip(" .;").split())


def _boxed(text: str) -> str:
    start = text.rfind("\\boxed{")
    if start < 0:
        return ""
    depth, inside = 0, text[start + len("\\boxed") :]
    for end, mark in enumerate(inside):
        depth += (mark == "{") - (mark == "}")
        if depth == 0:
            return inside[1:end].strip()
    return ""


def _quantity(text: str) -> tuple[Fraction, bool, str] | None:
    """Value, whether it is a percentage, and unit, where the text is one number with at most a unit."""
    found = _QUANTITY.fullmatch(text)
    if not found:
        return None
    unit = (found["unit"] or "").strip(" .").lower()
    if len(unit) == 1 and unit not in "°gmslh":
        return None  # 5x is no quantity
    top, bottom = (Fraction((found[name] or "1").replace(",", "")) for name in ("top", "bottom"))
    if bottom == 0:
        return None
    value = (top / bottom + int(found["whole"] or 0)) * (-1 if found["sign"] == "-" else 1)
    return value, bool(found["percent"]) or unit.startswith("percent"), _UNITS.get(unit, unit.removesuffix("s"))


_UNITS = {
    alias: unit
    for unit, aliases in {
        "": "percent degrees degree ° dollars dollar",
        "m": "meters meter metres metre",
        "cm": "centimeters centimeter",
        "km": "kilometers kilometer",
        "foot": "feet ft",
        "inch": "inches in",
        "g": "grams gram",
        "kg": "kilograms kilogram",
        "second": "s sec secs",
        "minute": "min mins",
        "hour": "h hr hrs",
    }.items()
    for alias in aliases.split()
}
"""Other ways to write a unit; units that say nothing beyond the number are empty."""


def _same_quantity(one: tuple[Fraction, bool, str], other: tuple[Fraction, bool, str]) -> bool:
    """Units may be left out but not differ; where one alone says percent, 50 % is both 50 and 0.5."""
    (first, percent, unit), (second, percent_too, unit_too) = one, other
    if unit and unit_too and unit != unit_too:
        return False
    if percent != percent_too and (first / 100 if percent else first) == (second / 100 if percent_too else second):
        return True
    return first == second


def _parts(text: str) -> list[str]:
    """What a tuple, set or list holds; the text itself where it is none."""
    inner = text[1:-1] if re.fullmatch(r"[(\[{].*,.*[)\]}]", text) else text
    parts, depth, start = list[str](), 0, 0
    for place, mark in enumerate(inner):
        depth += (mark in "([{") - (mark in ")]}")
        if mark == "," and depth == 0 and not re.match(r"\d{3}(?!\d)", inner[place + 1 :]):
            parts.append(inner[start:place].strip())
            start = place + 1
    return [*parts, inner[start:].strip()] if parts else [text]


def _equivalent(one: str, other: str) -> bool:
    first, second = _expression(one), _expression(other)
    if first is None or second is None:
        return False
    import sympy  # takes a second to import

    # Expressions of this kind that agree at three odd points are the same; a proof could take minutes.
    names = sorted(first.free_symbols | second.free_symbols, key=str)
    for shift in range(3):
        point = {name: sympy.Float(f"{shift + i + 1}.{37 + 11 * i + shift}", 40) for i, name in enumerate(names)}
        here, there = (sympy.N(side.subs(point), 30) for side in (first, second))
        if not (here.is_number and there.is_number and here.is_finite and there.is_finite):
            return False
        if abs(here - there) > 1e-12 * max(1, abs(there)):
            return False
    return True


def _expression(text: str) -> Any:
    """The text as a sympy expression, or None. It is read with `ast`, never evaluated: models wrote it."""
    if len(text) > _LONGEST:
        return None
    source = text.replace("^", "**").replace("√", "sqrt").replace("π", "pi").replace("|", "")
    source = re.sub(rf"(?<![\w.]){_NUMBER}(?![\d])", lambda n: n[0].replace(",", ""), source)
    source = re.sub(r"(?<=[\d)])\s*(?=[A-Za-z(])|(?<=\))\s*(?=\d)", "*", source)
    try:
        return _convert(ast.parse(source, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _convert(node: ast.expr) -> Any:
    import sympy  # takes a second to import

    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            made = sympy.Rational(str(number))
        case ast.Name(id=name) if name in _CONSTANTS:
            made = getattr(sympy, _CONSTANTS[name])
        case ast.Name(id=name) if len(name) == 1 or name in {"theta", "alpha", "beta"}:
            made = sympy.Symbol(name)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            made = _convert(operand) * (-1 if isinstance(sign, ast.USub) else 1)
        case ast.BinOp(left=left, op=op, right=right):
            made = _combine(_convert(left), op, _convert(right))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            made = getattr(sympy, _FUNCTIONS[name])(_convert(argument))
        case _:
            raise ValueError("not an expression that is read here")
    return made


def _combine(left: Any, op: ast.operator, right: Any) -> Any:
    match op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div() if right != 0:
            return left / right
        case ast.Pow() if _small(left, right):
            return left**right
        case _:
            raise ValueError("not an expression that is read here")


def _small(base: Any, exponent: Any) -> bool:
    """Whether a power is quick to work out: 9**9**9 is not."""
    if not (base.is_number and exponent.is_number):
        return not exponent.is_number or bool(abs(exponent) <= 100)
    size = max(map(abs, base.as_numer_denom())) if base.is_Rational else 2
    return bool(abs(exponent) * math.log2(float(size) + 2) <= _LARGEST) if size < 10**300 else False
