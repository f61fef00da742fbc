"""Parameterised problem scripts: each draws a mathematics problem, solves it step by step and can check the answer.

A script builds its problem backwards from numbers that it draws, larger and more of them at a higher level, writes the
question and the steps with LaTeX between dollar signs, and the answer as plain text that sympy reads. Its check goes
another way than its solution did: it substitutes back, differentiates, multiplies out, or counts.
"""

import inspect
import itertools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from catalog.records import ProblemScript
from catalog.sources import source


@dataclass(frozen=True)
class Drawn:
    """One problem; `check` says whether an answer, as sympy reads it, solves it."""

    question: str
    steps: tuple[str, ...]
    answer: str
    check: Callable[[Any], bool] = field(repr=False, compare=False)


Script = Callable[[random.Random, int], Drawn]

SCRIPTS: dict[str, Script] = {}
TOPICS: dict[str, str] = {}


def script(topic: str) -> Callable[[Script], Script]:
    """Put the decorated function among the scripts of a topic."""

    def register(function: Script) -> Script:
        SCRIPTS[function.__name__] = function
        TOPICS[function.__name__] = topic
        return function

    return register


@source(table="raw.problem_scripts", licence="Apache-2.0", package=None, part="catalog.sources.problem_scripts")
def problem_scripts() -> Iterator[tuple[ProblemScript, str]]:
    """Every script, with its code."""
    for name, function in SCRIPTS.items():
        row = ProblemScript(name=name, topic=TOPICS[name], source_code=inspect.getsource(function))
        yield row, f"catalog.sources.problem_scripts#{name}"


class _Lazy:
    """sympy, imported when a script first runs: listing the sources must not pay for it."""

    def __getattr__(self, name: str) -> Any:
        import sympy as loaded

        return getattr(loaded, name)


sympy: Any = _Lazy()


def read_answer(answer: str) -> Any:
    """An answer of these scripts as sympy reads it: a number, an expression, a tuple or a list."""
    return sympy.sympify(answer)


def _x() -> Any:
    return sympy.Symbol("x")


def _tex(value: Any) -> str:
    return sympy.latex(value)


def _plain(value: Any) -> str:
    return str(value).replace("**", "^")


def _size(level: int) -> int:
    """The greatest coefficient of a level: 7, 19 and 39 for the first three."""
    return 3 + 4 * level * level


def _whole(draw: random.Random, size: int) -> int:
    """An integer from -size to size, but not 0."""
    return draw.choice((-1, 1)) * draw.randint(1, size)


def _plus(number: int) -> str:
    """The number as a further term: `+ 3`, `- 3`."""
    return f"{'-' if number < 0 else '+'} {abs(number)}"


def _polynomial(draw: random.Random, degree: int, size: int) -> Any:
    x = _x()
    return sum((draw.randint(-size, size) * x**k for k in range(degree)), _whole(draw, size) * x**degree)


def _equal(first: Any, second: Any) -> bool:
    return sympy.expand(first - second) == 0


def _is_slope(function: Any, slope: Any) -> bool:
    """Whether `slope` is the derivative, by difference quotients in 40 digits at two places."""
    x, h = _x(), sympy.Rational(1, 10**12)
    for place in (sympy.Rational(3, 7), sympy.Rational(11, 9)):
        rise = (function.subs(x, place + h) - function.subs(x, place - h)).evalf(60) / (2 * h)
        exact = sympy.sympify(slope).subs(x, place).evalf(60)
        if abs(rise - exact) > 10**-9 * max(1, abs(exact)):
            return False
    return True


def _name(draw: random.Random) -> str:
    return draw.choice(
        ("Amara", "Bo", "Chen", "Dilek", "Emil", "Farah", "Goran", "Hana", "Ines", "Jonas", "Kofi", "Lena")
    )


# --- algebra ---


@script("algebra")
def linear_equation(draw: random.Random, level: int) -> Drawn:
    """An equation with the unknown on one side, from level 2 on both."""
    size = _size(level)
    root, a = _whole(draw, size), _whole(draw, size)
    c = 0 if level == 1 else draw.choice([k for k in range(-size, size) if k != a])
    b = draw.randint(-size, size)
    d = a * root + b - c * root
    x = _x()
    left, right = a * x + b, c * x + sympy.Integer(d)
    return Drawn(
        f"Solve ${_tex(left)} = {_tex(right)}$ for $x$.",
        (
            f"Bring the terms in $x$ to the left and the numbers to the right: ${_tex((a - c) * x)} = {d - b}$.",
            f"Divide by ${a - c}$: $x = {root}$.",
        ),
        str(root),
        lambda answer: left.subs(x, answer) == right.subs(x, answer),
    )


@script("algebra")
def quadratic_roots(draw: random.Random, level: int) -> Drawn:
    """A quadratic equation with two rational roots; from level 2 its leading coefficient is not 1."""
    size = _size(level)
    first, second = draw.sample([k for k in range(-size, size + 1) if k], 2)
    p = 1 if level == 1 else draw.randint(2, 2 + level)
    low, high = sorted((sympy.Rational(first, p), sympy.Integer(second)))
    x = _x()
    left = sympy.expand((p * x - first) * (x - second))
    b, c = left.coeff(x, 1), left.coeff(x, 0)
    root = abs(first - p * second)
    return Drawn(
        f"Find all solutions of ${_tex(left)} = 0$, the smaller first.",
        (
            f"The discriminant is $({b})^2 - 4 \\cdot {p} \\cdot ({c}) = {b * b - 4 * p * c} = {root}^2$.",
            f"So $x = \\frac{{{-b} \\pm {root}}}{{{2 * p}}}$.",
            f"The solutions are $x = {_tex(low)}$ and $x = {_tex(high)}$.",
        )
        if low != high
        else ("The discriminant is 0.", f"The only solution is $x = {_tex(low)}$."),
        f"({low}, {high})" if low != high else f"({low},)",
        lambda answer: all(left.subs(x, root) == 0 for root in answer) and tuple(answer) == tuple(sorted(set(answer))),
    )


@script("algebra")
def linear_system(draw: random.Random, level: int) -> Drawn:
    """Two linear equations in two unknowns with an integer solution."""
    size = _size(level)
    x, y = _whole(draw, size), _whole(draw, size)
    a, b, c, d = (_whole(draw, 2 + 2 * level) for _ in range(4))
    if a * d == b * c:
        raise ValueError("the equations are not independent")
    e, f = a * x + b * y, c * x + d * y
    return Drawn(
        f"Solve the system ${a}x {_plus(b)}y = {e}$, ${c}x {_plus(d)}y = {f}$. Answer with the pair $(x, y)$.",
        (
            (
                f"Multiply the first equation by ${d}$ and the second by ${b}$ and subtract: "
                f"$({a * d} {_plus(-b * c)})x = {d * e} {_plus(-b * f)}$."
            ),
            f"So ${a * d - b * c}x = {d * e - b * f}$ and $x = {x}$.",
            f"Put it into the first equation: ${b}y = {e} {_plus(-a * x)} = {b * y}$, so $y = {y}$.",
        ),
        f"({x}, {y})",
        lambda answer: a * answer[0] + b * answer[1] == e and c * answer[0] + d * answer[1] == f,
    )


@script("algebra")
def expand_product(draw: random.Random, level: int) -> Drawn:
    """A product of linear factors, one more than the level, to multiply out."""
    x = _x()
    factors = [_whole(draw, 2 + level) * x + _whole(draw, 5 + level) for _ in range(level + 1)]
    product, steps = factors[0], list[str]()
    for factor in factors[1:]:
        grown = sympy.expand(product * factor)
        steps.append(f"$({_tex(product)})({_tex(factor)}) = {_tex(grown)}$.")
        product = grown
    places = tuple(range(-2, level + 2))
    return Drawn(
        f"Expand ${''.join(f'({_tex(factor)})' for factor in factors)}$.",
        tuple(steps),
        _plain(product),
        lambda answer: all(answer.subs(x, p) == math.prod(int(f.subs(x, p)) for f in factors) for p in places),
    )


@script("algebra")
def factor_quadratic(draw: random.Random, level: int) -> Drawn:
    """A quadratic polynomial to write as a product of two linear factors with integer coefficients."""
    x, size = _x(), _size(level)
    p = 1 if level == 1 else draw.randint(2, 2 + level)
    r, s = _whole(draw, size), _whole(draw, size)
    if math.gcd(p, r) != 1:
        raise ValueError("a factor has a common divisor")
    whole = sympy.expand((p * x + r) * (x + s))
    middle = whole.coeff(x, 1)
    return Drawn(
        f"Factor ${_tex(whole)}$ over the integers.",
        (
            f"Find two numbers with product ${p * r * s}$ and sum ${middle}$: ${r}$ and ${p * s}$.",
            f"Split the middle term: ${_tex(p * x**2)} {_plus(p * s)}x {_plus(r)}x {_plus(r * s)}$.",
            f"Group: ${_tex(p * x)}(x {_plus(s)}) {_plus(r)}(x {_plus(s)}) = ({_tex(p * x + r)})({_tex(x + s)})$.",
        ),
        f"({p * x + r})*({x + s})",
        lambda answer: _equal(answer, whole) and not answer.is_Add,
    )


@script("algebra")
def polynomial_division(draw: random.Random, level: int) -> Drawn:
    """A polynomial divided by a linear one: quotient and remainder, by synthetic division."""
    x, size = _x(), 3 + 2 * level
    root = _whole(draw, size)
    whole = sympy.Poly(_polynomial(draw, level + 1, _size(level)), x)
    numbers = [int(k) for k in whole.all_coeffs()]
    row = [numbers[0]]
    for number in numbers[1:]:
        row.append(number + root * row[-1])
    quotient = sum((k * x**power for power, k in enumerate(reversed(row[:-1]))), sympy.Integer(0))
    work = ", ".join(f"${n} {_plus(root * r)} = {n + root * r}$" for n, r in zip(numbers[1:], row[:-1], strict=True))
    return Drawn(
        f"Divide ${_tex(whole.as_expr())}$ by ${_tex(x - root)}$. Answer with the pair (quotient, remainder).",
        (
            f"Use synthetic division with ${root}$ on the coefficients ${', '.join(map(str, numbers))}$.",
            f"Bring down ${numbers[0]}$; then {work}.",
            f"The quotient is ${_tex(quotient)}$ and the remainder is ${row[-1]}$.",
        ),
        f"({_plain(quotient)}, {row[-1]})",
        lambda answer: _equal(answer[0] * (x - root) + answer[1], whole.as_expr()) and answer[1].is_number,
    )


@script("algebra")
def evaluate_polynomial(draw: random.Random, level: int) -> Drawn:
    """The value of a polynomial at an integer, by Horner's scheme."""
    x, place = _x(), _whole(draw, 2 + level)
    whole = sympy.Poly(_polynomial(draw, level + 1, _size(level)), x)
    numbers = [int(k) for k in whole.all_coeffs()]
    value, steps = numbers[0], [f"Start with the leading coefficient ${numbers[0]}$."]
    for number in numbers[1:]:
        steps.append(f"Multiply by ${place}$ and add ${number}$: ${value * place + number}$.")
        value = value * place + number
    return Drawn(
        f"Let $f(x) = {_tex(whole.as_expr())}$. Find $f({place})$.",
        tuple(steps),
        str(value),
        lambda answer: whole.as_expr().subs(x, place) == answer,
    )


@script("algebra")
def complete_square(draw: random.Random, level: int) -> Drawn:
    """A quadratic polynomial in the form a(x - h)^2 + k."""
    x, size = _x(), _size(level)
    a = 1 if level == 1 else _whole(draw, 2 + level)
    h, k = _whole(draw, size), _whole(draw, size)
    whole = sympy.expand(a * (x - h) ** 2 + k)
    return Drawn(
        f"Complete the square: write ${_tex(whole)}$ as $a(x - h)^2 + k$. Answer with $(a, h, k)$.",
        (
            f"The leading coefficient is $a = {a}$; half the middle coefficient over $a$ is ${-h}$, so $h = {h}$.",
            f"${a}(x {_plus(-h)})^2 = {_tex(sympy.expand(a * (x - h) ** 2))}$.",
            f"What is left of the constant term is $k = {a * h * h + k} {_plus(-a * h * h)} = {k}$.",
        ),
        f"({a}, {h}, {k})",
        lambda answer: _equal(answer[0] * (x - answer[1]) ** 2 + answer[2], whole),
    )


@script("algebra")
def exponential_equation(draw: random.Random, level: int) -> Drawn:
    """An equation between two powers of one base."""
    base, m, root = draw.randint(2, 4 + level), _whole(draw, 2 + level), _whole(draw, 3 * level)
    n = _whole(draw, 4 * level)
    power = m * root + n
    if not 0 < power <= 4 + 2 * level:
        raise ValueError("the power is out of bounds")
    x = _x()
    return Drawn(
        f"Solve ${base}^{{{_tex(m * x + n)}}} = {base**power}$ for $x$.",
        (
            f"Write the right side as a power: ${base**power} = {base}^{{{power}}}$.",
            f"The exponents are equal: ${_tex(m * x + n)} = {power}$.",
            f"So ${_tex(m * x)} = {power - n}$ and $x = {root}$.",
        ),
        str(root),
        lambda answer: sympy.Integer(base) ** (m * answer + n) == base**power,
    )


@script("algebra")
def logarithm_equation(draw: random.Random, level: int) -> Drawn:
    """An equation with the logarithm of a linear expression."""
    base, power, m = draw.randint(2, 4 + level), draw.randint(1, 2 + level), draw.randint(1, 1 + 2 * level)
    n = _whole(draw, _size(level))
    root = sympy.Rational(base**power - n, m)
    x = _x()
    return Drawn(
        f"Solve $\\log_{{{base}}}({_tex(m * x + n)}) = {power}$ for $x$.",
        (
            f"Take both sides as exponents of ${base}$: ${_tex(m * x + n)} = {base}^{{{power}}} = {base**power}$.",
            f"Subtract ${n}$: ${_tex(m * x)} = {base**power - n}$.",
            f"Divide by ${m}$: $x = {_tex(root)}$.",
        ),
        str(root),
        lambda answer: sympy.log(m * answer + n, base) == power,
    )


@script("algebra")
def absolute_value_equation(draw: random.Random, level: int) -> Drawn:
    """An equation with the absolute value of a linear expression: two solutions."""
    a, b, c = draw.randint(1, 2 * level), _whole(draw, _size(level)), draw.randint(1, _size(level))
    x = _x()
    low, high = sympy.Rational(-c - b, a), sympy.Rational(c - b, a)
    return Drawn(
        f"Find both solutions of $|{_tex(a * x + b)}| = {c}$, the smaller first.",
        (
            f"Either ${_tex(a * x + b)} = {-c}$ or ${_tex(a * x + b)} = {c}$.",
            f"The first gives $x = {_tex(low)}$.",
            f"The second gives $x = {_tex(high)}$.",
        ),
        f"({low}, {high})",
        lambda answer: all(abs(a * root + b) == c for root in answer) and answer[0] < answer[1],
    )


@script("algebra")
def add_fractions(draw: random.Random, level: int) -> Drawn:
    """Two algebraic fractions to write as one."""
    x, size = _x(), 3 + 3 * level
    a, b = _whole(draw, size), _whole(draw, size)
    p, q = draw.sample(range(-size, size + 1), 2)
    top = sympy.expand(a * (x + q) + b * (x + p))
    bottom = sympy.expand((x + p) * (x + q))
    return Drawn(
        f"Write ${_tex(a / (x + p))} {'+' if b > 0 else '-'} {_tex(abs(b) / (x + q))}$ as a single fraction.",
        (
            f"The common denominator is $({_tex(x + p)})({_tex(x + q)}) = {_tex(bottom)}$.",
            f"The numerator is ${a}({_tex(x + q)}) {_plus(b)}({_tex(x + p)}) = {_tex(top)}$.",
        ),
        f"({_plain(top)})/({_plain(bottom)})",
        lambda answer: all(
            answer.subs(x, place) == sympy.Rational(a, place + p) + sympy.Rational(b, place + q)
            for place in (size + 1, size + 2, size + 5)
        ),
    )


@script("algebra")
def arithmetic_series(draw: random.Random, level: int) -> Drawn:
    """The sum of the first terms of an arithmetic sequence."""
    first, step, count = _whole(draw, _size(level)), _whole(draw, 2 + 3 * level), draw.randint(5, 10 * level + 5)
    last = first + (count - 1) * step
    total = count * (first + last) // 2
    return Drawn(
        f"An arithmetic sequence starts with ${first}, {first + step}, {first + 2 * step}, \\ldots$ "
        f"Find the sum of its first {count} terms.",
        (
            f"The common difference is ${step}$.",
            f"Term number {count} is ${first} + {count - 1} \\cdot ({step}) = {last}$.",
            f"The sum is $\\frac{{{count}}}{{2}}({first} {_plus(last)}) = {total}$.",
        ),
        str(total),
        lambda answer: answer == sum(range(first, first + count * step, step)),
    )


@script("algebra")
def geometric_series(draw: random.Random, level: int) -> Drawn:
    """The sum of the first terms of a geometric sequence."""
    first, ratio, count = _whole(draw, 3 * level + 2), draw.choice((-3, -2, 2, 3, 4)), draw.randint(3, 3 + level)
    total = first * (ratio**count - 1) // (ratio - 1)
    return Drawn(
        f"A geometric sequence starts with ${first}$ and each term is ${ratio}$ times the one before. "
        f"Find the sum of its first {count} terms.",
        (
            f"The sum is $a \\cdot \\frac{{r^n - 1}}{{r - 1}}$ with $a = {first}$, $r = {ratio}$, $n = {count}$.",
            (
                f"$r^n = {ratio**count}$, so the sum is "
                f"${first} \\cdot \\frac{{{ratio**count - 1}}}{{{ratio - 1}}} = {total}$."
            ),
        ),
        str(total),
        lambda answer: answer == sum(first * ratio**k for k in range(count)),
    )


@script("algebra")
def greatest_integer_below(draw: random.Random, level: int) -> Drawn:
    """The greatest integer that satisfies a linear inequality."""
    a, b, c = draw.randint(2, 3 + 3 * level), _whole(draw, _size(level)), draw.randint(1, 10 * _size(level))
    bound = sympy.Rational(c - b, a)
    most = math.ceil(bound) - 1
    x = _x()
    return Drawn(
        f"Find the greatest integer $x$ with ${_tex(a * x + b)} < {c}$.",
        (
            f"Subtract ${b}$: ${_tex(a * x)} < {c - b}$.",
            f"Divide by ${a}$, which is positive: $x < {_tex(bound)}$.",
            f"The greatest integer below this is ${most}$.",
        ),
        str(most),
        lambda answer: bool(answer.is_integer and a * answer + b < c <= a * (answer + 1) + b),
    )


# --- number theory ---


@script("number theory")
def greatest_common_divisor(draw: random.Random, level: int) -> Drawn:
    """The greatest common divisor of two integers, by Euclid's algorithm."""
    shared, size = draw.randint(2, 4 * level + 4), 10 ** (level + 1)
    a, b = sorted((shared * draw.randint(2, size // shared + 2), shared * draw.randint(2, size // shared + 2)))[::-1]
    steps, first, second = list[str](), a, b
    while second:
        steps.append(f"${first} = {first // second} \\cdot {second} + {first % second}$.")
        first, second = second, first % second
    steps.append(f"The last remainder that is not 0 is ${first}$.")
    return Drawn(
        f"Find the greatest common divisor of {a} and {b}.",
        tuple(steps),
        str(first),
        lambda answer: a % answer == 0 and b % answer == 0 and sympy.gcdex(a, b)[2] == answer,
    )


@script("number theory")
def least_common_multiple(draw: random.Random, level: int) -> Drawn:
    """The least common multiple of two integers, through their greatest common divisor."""
    a, b = draw.sample(range(4, 20 * level * level + 20), 2)
    shared = math.gcd(a, b)
    return Drawn(
        f"Find the least common multiple of {a} and {b}.",
        (
            f"The greatest common divisor of ${a}$ and ${b}$ is ${shared}$.",
            f"The least common multiple is $\\frac{{{a} \\cdot {b}}}{{{shared}}} = {a * b // shared}$.",
        ),
        str(a * b // shared),
        lambda answer: next(m for m in range(a, a * b + 1, a) if m % b == 0) == answer,
    )


@script("number theory")
def prime_factors(draw: random.Random, level: int) -> Drawn:
    """The prime factors of an integer, repeated ones repeated, by trial division."""
    primes = [draw.choice((2, 3, 5, 7, 11, 13, 17, 19, 23, 29)[: 4 + 2 * level]) for _ in range(level + 2)]
    number = rest = math.prod(primes)
    steps = list[str]()
    for prime in sorted(primes):
        steps.append(f"${rest} = {prime} \\cdot {rest // prime}$.")
        rest //= prime
    return Drawn(
        f"List the prime factors of {number} in ascending order, each as often as it divides.",
        tuple(steps),
        str(sorted(primes)),
        lambda answer: (
            all(sympy.isprime(p) for p in answer)
            and math.prod(map(int, answer)) == number
            and list(answer) == sorted(answer)
        ),
    )


@script("number theory")
def modular_power(draw: random.Random, level: int) -> Drawn:
    """A power modulo an integer, by repeated squaring."""
    base, power, modulus = draw.randint(2, 9 * level), draw.randint(5, 15 * level), draw.randint(5, 12 * level + 5)
    steps, square, value = list[str](), base % modulus, 1
    for place, bit in enumerate(reversed(f"{power:b}")):
        if place:
            steps.append(f"${base}^{{{2**place}}} \\equiv {square}^2 \\equiv {square * square % modulus}$.")
            square = square * square % modulus
        if bit == "1":
            value = value * square % modulus
    binary = " + ".join(str(2**k) for k, bit in enumerate(reversed(f"{power:b}")) if bit == "1")
    return Drawn(
        f"Find the remainder of ${base}^{{{power}}}$ on division by {modulus}.",
        (
            f"Square repeatedly modulo ${modulus}$: ${base} \\equiv {base % modulus}$.",
            *steps,
            f"Since ${power} = {binary}$, multiply these powers: the remainder is ${value}$.",
        ),
        str(value),
        lambda answer: (base**power - answer) % modulus == 0 and 0 <= answer < modulus,
    )


@script("number theory")
def modular_inverse(draw: random.Random, level: int) -> Drawn:
    """The inverse of an integer modulo another, by Euclid's extended algorithm."""
    modulus = draw.randint(7, 30 * level)
    number = draw.randint(2, modulus - 1)
    if math.gcd(number, modulus) != 1:
        raise ValueError("the number has no inverse")
    steps, (r, s), (u, v) = list[str](), (modulus, number), (0, 1)
    while s > 1:
        q = r // s
        r, s, u, v = s, r % s, v, u - q * v
        steps.append(f"${s} \\equiv {v} \\cdot {number} \\pmod{{{modulus}}}$.")
    return Drawn(
        f"Find the inverse of {number} modulo {modulus}, between 1 and {modulus - 1}.",
        (
            "Divide with remainder until 1 is left, and keep each remainder as a multiple of the number.",
            *steps,
            f"So the inverse is ${v} \\equiv {v % modulus}$.",
        ),
        str(v % modulus),
        lambda answer: answer * number % modulus == 1 and 0 < answer < modulus,
    )


@script("number theory")
def chinese_remainder(draw: random.Random, level: int) -> Drawn:
    """The least non-negative integer with two given remainders."""
    p, q = draw.sample((3, 4, 5, 7, 9, 11, 13, 16, 17, 19, 23)[: 5 + 2 * level], 2)
    if math.gcd(p, q) != 1:
        raise ValueError("the moduli are not coprime")
    a, b = draw.randrange(p), draw.randrange(q)
    k = (b - a) * pow(p, -1, q) % q
    return Drawn(
        f"Find the least non-negative integer that leaves remainder {a} on division by {p} "
        f"and remainder {b} on division by {q}.",
        (
            f"Write it as ${a} + {p}k$; then ${p}k \\equiv {(b - a) % q} \\pmod{{{q}}}$.",
            f"The inverse of ${p}$ modulo ${q}$ is ${pow(p, -1, q)}$, so $k = {k}$.",
            f"The number is ${a} + {p} \\cdot {k} = {a + p * k}$.",
        ),
        str(a + p * k),
        lambda answer: answer == next(n for n in range(p * q) if n % p == a and n % q == b),
    )


@script("number theory")
def count_divisors(draw: random.Random, level: int) -> Drawn:
    """How many positive divisors an integer has, from its prime powers."""
    primes = draw.sample((2, 3, 5, 7, 11, 13), level + 1)
    powers = {p: draw.randint(1, 4 if p < 5 else 2) for p in sorted(primes)}
    number = math.prod(p**k for p, k in powers.items())
    count = math.prod(k + 1 for k in powers.values())
    return Drawn(
        f"How many positive divisors does {number} have?",
        (
            f"${number} = {_powers(powers)}$.",
            f"Each exponent can be chosen from 0 up: ${' '.join(f'({k} + 1)' for k in powers.values())} = {count}$.",
        ),
        str(count),
        lambda answer: (
            answer == sum(2 - (d * d == number) for d in range(1, math.isqrt(number) + 1) if number % d == 0)
        ),
    )


@script("number theory")
def base_to_decimal(draw: random.Random, level: int) -> Drawn:
    """A numeral of another base as a decimal number."""
    base = draw.randint(2, 9)
    digits = [draw.randint(1, base - 1), *(draw.randrange(base) for _ in range(level + 2))]
    value, places = 0, len(digits)
    for digit in digits:
        value = value * base + digit
    terms = " + ".join(f"{d} \\cdot {base}^{{{places - 1 - i}}}" for i, d in enumerate(digits))
    return Drawn(
        f"Write the base-{base} numeral {''.join(map(str, digits))} as a decimal number.",
        (f"Weigh the digits by powers of ${base}$: ${terms}$.", f"The sum is ${value}$."),
        str(value),
        lambda answer: [int(answer) // base**k % base for k in range(places)] == digits[::-1] and answer < base**places,
    )


@script("number theory")
def euler_totient(draw: random.Random, level: int) -> Drawn:
    """How many integers up to a number are coprime to it."""
    primes = draw.sample((2, 3, 5, 7, 11, 13), min(3, level + 1))
    powers = {p: draw.randint(1, 3 if p < 5 else 1) for p in sorted(primes)}
    number = math.prod(p**k for p, k in powers.items())
    value = math.prod(p ** (k - 1) * (p - 1) for p, k in powers.items())
    terms = " \\cdot ".join(f"{p ** (k - 1)} \\cdot {p - 1}" for p, k in powers.items())
    return Drawn(
        f"How many integers from 1 to {number} have no common divisor with {number} except 1?",
        (
            f"${number} = {_powers(powers)}$.",
            f"A prime power $p^k$ contributes $p^{{k-1}}(p - 1)$: ${terms} = {value}$.",
        ),
        str(value),
        lambda answer: answer == sum(math.gcd(n, number) == 1 for n in range(1, number + 1)),
    )


def _powers(powers: dict[int, int]) -> str:
    return " \\cdot ".join(f"{p}^{{{k}}}" if k > 1 else str(p) for p, k in powers.items())


# --- calculus ---


@script("calculus")
def derivative_of_polynomial(draw: random.Random, level: int) -> Drawn:
    """The derivative of a polynomial, term by term."""
    x = _x()
    whole = sympy.Poly(_polynomial(draw, level + 2, _size(level)), x)
    slope = whole.diff(x).as_expr()
    h = sympy.Symbol("h")
    terms = [(int(k), int(power)) for (power,), k in whole.terms() if power]
    return Drawn(
        f"Differentiate $f(x) = {_tex(whole.as_expr())}$.",
        (
            "Use the power rule on each term: $(c x^n)' = c n x^{n-1}$.",
            *(f"${_tex(k * x**n)}$ gives ${_tex(k * n * x ** (n - 1))}$." for k, n in terms),
            f"Together $f'(x) = {_tex(slope)}$.",
        ),
        _plain(slope),
        lambda answer: _equal(
            sympy.expand((whole.as_expr().subs(x, x + h) - whole.as_expr()).expand() / h).subs(h, 0), answer
        ),
    )


@script("calculus")
def product_rule(draw: random.Random, level: int) -> Drawn:
    """The derivative of a polynomial times an exponential, sine or cosine."""
    x, k = _x(), draw.randint(1, 2 + level)
    first = _polynomial(draw, min(level, 3), 5 + level)
    second = draw.choice((sympy.exp, sympy.sin, sympy.cos))(k * x)
    slopes = sympy.diff(first, x), sympy.diff(second, x)
    whole = slopes[0] * second + first * slopes[1]
    return Drawn(
        f"Differentiate $f(x) = ({_tex(first)}) \\cdot {_tex(second)}$.",
        (
            "Use the product rule $(uv)' = u'v + uv'$.",
            f"$u = {_tex(first)}$ has $u' = {_tex(slopes[0])}$.",
            f"$v = {_tex(second)}$ has $v' = {_tex(slopes[1])}$.",
            f"So $f'(x) = {_tex(whole)}$.",
        ),
        _plain(whole),
        lambda answer: _is_slope(first * second, answer),
    )


@script("calculus")
def chain_rule(draw: random.Random, level: int) -> Drawn:
    """The derivative of a function of a polynomial."""
    x = _x()
    inner = _polynomial(draw, 1 + level // 2, 3 + 2 * level)
    u = sympy.Symbol("u")
    outer = draw.choice((sympy.sin(u), sympy.cos(u), sympy.exp(u), u ** draw.randint(3, 4 + level)))
    slope = sympy.diff(outer, u).subs(u, inner) * sympy.diff(inner, x)
    return Drawn(
        f"Differentiate $f(x) = {_tex(outer.subs(u, inner))}$.",
        (
            f"The outer function is ${_tex(outer)}$ with derivative ${_tex(sympy.diff(outer, u))}$.",
            f"The inner function is $u = {_tex(inner)}$ with derivative ${_tex(sympy.diff(inner, x))}$.",
            f"By the chain rule $f'(x) = {_tex(slope)}$.",
        ),
        _plain(slope),
        lambda answer: _is_slope(outer.subs(u, inner), answer),
    )


@script("calculus")
def antiderivative(draw: random.Random, level: int) -> Drawn:
    """The antiderivative of a polynomial that vanishes at 0."""
    x = _x()
    whole = sympy.Poly(_polynomial(draw, level + 1, _size(level)), x)
    terms = [(int(k), int(power)) for (power,), k in whole.terms()]
    found = sum((sympy.Rational(k, n + 1) * x ** (n + 1) for k, n in terms), sympy.Integer(0))
    return Drawn(
        f"Find the antiderivative $F$ of $f(x) = {_tex(whole.as_expr())}$ with $F(0) = 0$.",
        (
            "Raise each exponent by one and divide by the new exponent.",
            *(f"${_tex(k * x**n)}$ gives ${_tex(sympy.Rational(k, n + 1) * x ** (n + 1))}$." for k, n in terms),
            "The constant is 0, since every other term vanishes at 0.",
        ),
        _plain(found),
        lambda answer: _equal(sympy.diff(answer, x), whole.as_expr()) and answer.subs(x, 0) == 0,
    )


@script("calculus")
def definite_integral(draw: random.Random, level: int) -> Drawn:
    """The integral of a polynomial of degree at most 3 between integers."""
    x = _x()
    whole = sympy.Poly(_polynomial(draw, min(3, level + 1), _size(level)), x)
    low = draw.randint(-level, level)
    high = low + draw.randint(1, 1 + level)
    found = whole.integrate(x).as_expr()
    ends = found.subs(x, high), found.subs(x, low)
    middle = sympy.Rational(low + high, 2)
    return Drawn(
        f"Compute $\\int_{{{low}}}^{{{high}}} {_tex(whole.as_expr())} \\, dx$.",
        (
            f"An antiderivative is $F(x) = {_tex(found)}$.",
            f"$F({high}) = {_tex(ends[0])}$ and $F({low}) = {_tex(ends[1])}$.",
            f"The integral is their difference, ${_tex(ends[0] - ends[1])}$.",
        ),
        str(ends[0] - ends[1]),
        # Simpson's rule is exact up to degree 3.
        lambda answer: (
            answer == sympy.Rational(high - low, 6) * (whole.eval(low) + 4 * whole.eval(middle) + whole.eval(high))
        ),
    )


@script("calculus")
def removable_limit(draw: random.Random, level: int) -> Drawn:
    """The limit of a rational function where numerator and denominator vanish."""
    x, place = _x(), _whole(draw, 3 + 2 * level)
    above, below = _polynomial(draw, level, 3 + 2 * level), _polynomial(draw, 1, 3 + 2 * level)
    if below.subs(x, place) == 0:
        raise ValueError("the denominator vanishes twice")
    top, bottom = sympy.expand(above * (x - place)), sympy.expand(below * (x - place))
    value = sympy.Rational(above.subs(x, place), below.subs(x, place))
    near = place + sympy.Rational(1, 10**12)
    return Drawn(
        f"Find $\\lim_{{x \\to {place}}} \\frac{{{_tex(top)}}}{{{_tex(bottom)}}}$.",
        (
            f"At $x = {place}$ both are 0, so divide both by $x {_plus(-place)}$.",
            f"What is left is $\\frac{{{_tex(above)}}}{{{_tex(below)}}}$.",
            f"At $x = {place}$ it is $\\frac{{{above.subs(x, place)}}}{{{below.subs(x, place)}}} = {_tex(value)}$.",
        ),
        str(value),
        lambda answer: abs(top.subs(x, near) / bottom.subs(x, near) - answer) < sympy.Rational(1, 10**6),
    )


@script("calculus")
def tangent_line(draw: random.Random, level: int) -> Drawn:
    """The tangent to the graph of a polynomial at an integer."""
    x, place = _x(), _whole(draw, 1 + level)
    whole = _polynomial(draw, level + 1, 3 + 3 * level)
    height, slope = whole.subs(x, place), sympy.diff(whole, x).subs(x, place)
    line = sympy.expand(slope * (x - place) + height)
    return Drawn(
        f"Find the tangent to the graph of $f(x) = {_tex(whole)}$ at $x = {place}$. "
        "Answer with the right side of $y = mx + b$.",
        (
            f"$f({place}) = {height}$.",
            f"$f'(x) = {_tex(sympy.diff(whole, x))}$, so the slope is $f'({place}) = {slope}$.",
            f"$y = {slope}(x {_plus(-place)}) {_plus(int(height))} = {_tex(line)}$.",
        ),
        _plain(line),
        lambda answer: sympy.rem(whole - answer, (x - place) ** 2, x) == 0 and sympy.degree(answer, x) <= 1,
    )


@script("calculus")
def extrema_of_cubic(draw: random.Random, level: int) -> Drawn:
    """Where a cubic polynomial has its local maximum and its local minimum."""
    x, size = _x(), 2 + 3 * level
    p, q = sorted(draw.sample(range(-size, size + 1), 2))
    a = draw.choice((-1, 1)) * draw.randint(1, level)
    if (p + q) % 2:
        raise ValueError("a coefficient is no integer")
    slope = sympy.expand(6 * a * (x - p) * (x - q))
    whole = sympy.Poly(slope, x).integrate(x).as_expr() + draw.randint(-size, size)
    high, low = (p, q) if a > 0 else (q, p)
    bend = sympy.diff(slope, x)
    return Drawn(
        f"At which $x$ does $f(x) = {_tex(whole)}$ have its local maximum, and at which its local minimum? "
        "Answer with the pair (maximum, minimum).",
        (
            f"$f'(x) = {_tex(slope)} = {6 * a}(x {_plus(-p)})(x {_plus(-q)})$, which is 0 at ${p}$ and ${q}$.",
            f"$f''(x) = {_tex(bend)}$; $f''({high}) = {bend.subs(x, high)} < 0$, a maximum.",
            f"$f''({low}) = {bend.subs(x, low)} > 0$, a minimum.",
        ),
        f"({high}, {low})",
        lambda answer: (
            all(whole.subs(x, answer[0]) > whole.subs(x, answer[0] + h) for h in (-0.01, 0.01))
            and all(whole.subs(x, answer[1]) < whole.subs(x, answer[1] + h) for h in (-0.01, 0.01))
        ),
    )


# --- linear algebra ---


def _matrix(draw: random.Random, rows: int, columns: int, size: int) -> Any:
    return sympy.Matrix(rows, columns, [draw.randint(-size, size) for _ in range(rows * columns)])


@script("linear algebra")
def determinant(draw: random.Random, level: int) -> Drawn:
    """The determinant of a 2 by 2 matrix, from level 2 of a 3 by 3 one along its first row."""
    n = 2 if level == 1 else 3
    m = _matrix(draw, n, n, 2 + 2 * level)
    minors = [m.minor_submatrix(0, j).det() for j in range(n)]
    value = sum((-1) ** j * m[0, j] * minors[j] for j in range(n))
    terms = " ".join(f"{_plus(int((-1) ** j * m[0, j]))} \\cdot ({minors[j]})" for j in range(n))
    return Drawn(
        f"Find the determinant of ${_tex(m)}$.",
        (
            f"Expand along the first row; the minors are ${', '.join(map(str, minors))}$.",
            f"The determinant is ${terms} = {value}$.",
        ),
        str(value),
        lambda answer: (
            answer
            == sum(
                sympy.LeviCivita(*order) * math.prod(int(m[i, j]) for i, j in enumerate(order))
                for order in itertools.permutations(range(n))
            )
        ),
    )


@script("linear algebra")
def matrix_product(draw: random.Random, level: int) -> Drawn:
    """The product of two matrices."""
    rows, inner, columns = (draw.randint(2, min(3, 1 + level)) for _ in range(3))
    a, b = _matrix(draw, rows, inner, 3 + level), _matrix(draw, inner, columns, 3 + level)
    product = a * b
    first = " ".join(f"{_plus(int(a[0, k]))} \\cdot ({b[k, 0]})" for k in range(inner))
    return Drawn(
        f"Compute ${_tex(a)}{_tex(b)}$. Answer with the list of rows.",
        (
            "Each entry is a row of the first matrix times a column of the second.",
            f"The first entry is ${first} = {product[0, 0]}$.",
            f"In this way the product is ${_tex(product)}$.",
        ),
        str(product.tolist()),
        lambda answer: all(sympy.Matrix(answer) * probe == a * (b * probe) for probe in _probes(columns)),
    )


def _probes(size: int) -> list[Any]:
    """Vectors of small powers: two matrices of small integers that agree on these are equal."""
    return [sympy.Matrix([base**k for k in range(size)]) for base in (1, 1009, 104729)]


@script("linear algebra")
def matrix_inverse(draw: random.Random, level: int) -> Drawn:
    """The inverse of a 2 by 2 matrix."""
    m = _matrix(draw, 2, 2, 2 + 3 * level)
    value = m.det()
    if value == 0:
        raise ValueError("the matrix has no inverse")
    turned = sympy.Matrix([[m[1, 1], -m[0, 1]], [-m[1, 0], m[0, 0]]])
    return Drawn(
        f"Find the inverse of ${_tex(m)}$. Answer with the list of rows.",
        (
            f"The determinant is ${m[0, 0]} \\cdot ({m[1, 1]}) - ({m[0, 1]}) \\cdot ({m[1, 0]}) = {value}$.",
            f"Swap the diagonal and change the signs of the rest: ${_tex(turned)}$.",
            f"Divide by the determinant: ${_tex(turned / value)}$.",
        ),
        str((turned / value).tolist()),
        lambda answer: m * sympy.Matrix(answer) == sympy.eye(2),
    )


@script("linear algebra")
def eigenvalues(draw: random.Random, level: int) -> Drawn:
    """The two integer eigenvalues of a 2 by 2 matrix."""
    size = 2 + 3 * level
    low, high = sorted(draw.sample(range(-size, size + 1), 2))
    a = draw.randint(1, 2 + level)
    c = draw.choice((-1, 1))
    change = sympy.Matrix([[1, a], [c, a * c + 1]])  # determinant 1
    m = change * sympy.diag(low, high) * change.inv()
    total, product = low + high, low * high
    return Drawn(
        f"Find the eigenvalues of ${_tex(m)}$, the smaller first.",
        (
            f"The trace is ${total}$ and the determinant is ${product}$.",
            f"The characteristic equation is $\\lambda^2 {_plus(-total)}\\lambda {_plus(product)} = 0$.",
            f"It factors into $(\\lambda {_plus(-low)})(\\lambda {_plus(-high)}) = 0$.",
        ),
        f"({low}, {high})",
        lambda answer: all((m - k * sympy.eye(2)).det() == 0 for k in answer) and answer[0] < answer[1],
    )


@script("linear algebra")
def vector_projection(draw: random.Random, level: int) -> Drawn:
    """The projection of one vector on another."""
    n = 2 if level == 1 else 3
    u, v = ([_whole(draw, 3 + 2 * level) for _ in range(n)] for _ in range(2))
    dot, square = sum(p * q for p, q in zip(u, v, strict=True)), sum(q * q for q in v)
    found = tuple(sympy.Rational(dot * q, square) for q in v)
    return Drawn(
        f"Find the projection of $({', '.join(map(str, u))})$ on $({', '.join(map(str, v))})$.",
        (
            f"The product of the two vectors is ${dot}$.",
            f"The square of the second one's length is ${square}$.",
            f"The projection is ${_tex(sympy.Rational(dot, square))}$ times the second vector: ${_tex(found)}$.",
        ),
        str(found),
        lambda answer: (
            sum((p - r) * q for p, q, r in zip(u, v, answer, strict=True)) == 0
            and sympy.Matrix([list(answer), v]).rank() <= 1
        ),
    )


@script("linear algebra")
def orthogonal_parameter(draw: random.Random, level: int) -> Drawn:
    """The entry that makes two vectors orthogonal."""
    u = [_whole(draw, _size(level)) for _ in range(level + 1)]
    v = [_whole(draw, _size(level)) for _ in range(level + 1)]
    last = _whole(draw, 3 + level)
    dot = sum(p * q for p, q in zip(u, v, strict=True))
    k = sympy.Rational(-dot, last)
    return Drawn(
        f"For which $k$ are $({', '.join(map(str, [*u, 'k']))})$ and $({', '.join(map(str, [*v, last]))})$ orthogonal?",
        (
            f"Their product must be 0: ${dot} {_plus(last)}k = 0$.",
            f"So $k = {_tex(k)}$.",
        ),
        str(k),
        lambda answer: sympy.Matrix([*u, answer]).dot(sympy.Matrix([*v, last])) == 0,
    )


# --- geometry ---


@script("geometry")
def right_triangle(draw: random.Random, level: int) -> Drawn:
    """The missing side of a right triangle with integer sides."""
    m = draw.randint(2, 3 + level)
    n, k = draw.randint(1, m - 1), draw.randint(1, 1 + 2 * level)
    a, b, c = k * (m * m - n * n), 2 * k * m * n, k * (m * m + n * n)
    if draw.random() < 0.5:
        asked, wanted, work = f"legs {a} and {b}. How long is its hypotenuse", c, f"\\sqrt{{{a}^2 + {b}^2}}"
    else:
        asked, wanted = f"hypotenuse {c} and one leg {a}. How long is the other leg", b
        work = f"\\sqrt{{{c}^2 - {a}^2}}"
    squares = a * a + b * b if wanted == c else c * c - a * a
    return Drawn(
        f"A right triangle has {asked}?",
        (
            "In a right triangle the squares of the legs add up to the square of the hypotenuse.",
            f"So the side is ${work} = \\sqrt{{{squares}}} = {wanted}$.",
        ),
        str(wanted),
        lambda answer: answer > 0 and sympy.prod(side - answer for side in (a, b, c)) == 0 and answer**2 == squares,
    )


@script("geometry")
def distance_of_points(draw: random.Random, level: int) -> Drawn:
    """The distance between two points, as a root in simplest form."""
    size = _size(level)
    p, q = ([draw.randint(-size, size) for _ in range(2 if level < 3 else 3)] for _ in range(2))
    if p == q:
        raise ValueError("the points are the same")
    moves = [b - a for a, b in zip(p, q, strict=True)]
    square = sum(move * move for move in moves)
    root = sympy.sqrt(square)
    return Drawn(
        f"Find the distance between $({', '.join(map(str, p))})$ and $({', '.join(map(str, q))})$.",
        (
            f"The differences of the coordinates are ${', '.join(map(str, moves))}$.",
            f"Their squares add up to ${square}$.",
            f"The distance is $\\sqrt{{{square}}} = {_tex(root)}$.",
        ),
        str(root),
        lambda answer: (
            answer > 0 and answer**2 == sympy.Matrix(p).dot(p) + sympy.Matrix(q).dot(q) - 2 * sympy.Matrix(p).dot(q)
        ),
    )


@script("geometry")
def circle_from_equation(draw: random.Random, level: int) -> Drawn:
    """Centre and radius of a circle given by an expanded equation."""
    size = _size(level)
    h, k, r = _whole(draw, size), _whole(draw, size), draw.randint(1, size)
    rest = h * h + k * k - r * r
    x, y = _x(), sympy.Symbol("y")
    left = x**2 + y**2 - 2 * h * x - 2 * k * y + rest
    return Drawn(
        f"A circle has the equation ${_tex(left)} = 0$. Answer with $(h, k, r)$, centre and radius.",
        (
            f"Complete both squares: $(x {_plus(-h)})^2 + (y {_plus(-k)})^2 = {h * h} + {k * k} {_plus(-rest)}$.",
            f"The right side is ${r * r} = {r}^2$.",
        ),
        f"({h}, {k}, {r})",
        lambda answer: (
            answer[2] > 0
            and all(
                left.subs({x: answer[0] + p * answer[2], y: answer[1] + q * answer[2]}) == 0
                for p, q in ((1, 0), (-1, 0), (0, 1), (0, -1))
            )
        ),
    )


@script("geometry")
def triangle_area(draw: random.Random, level: int) -> Drawn:
    """The area of a triangle from the coordinates of its corners."""
    size = _size(level)
    (a, b), (c, d), (e, f) = ((draw.randint(-size, size), draw.randint(-size, size)) for _ in range(3))
    cross = (c - a) * (f - b) - (e - a) * (d - b)
    if cross == 0:
        raise ValueError("the corners lie on a line")
    area = sympy.Rational(abs(cross), 2)
    return Drawn(
        f"Find the area of the triangle with corners $({a}, {b})$, $({c}, {d})$ and $({e}, {f})$.",
        (
            f"Two sides are the vectors $({c - a}, {d - b})$ and $({e - a}, {f - b})$.",
            f"Their cross product is ${c - a} \\cdot ({f - b}) - ({e - a}) \\cdot ({d - b}) = {cross}$.",
            f"The area is half its absolute value, ${_tex(area)}$.",
        ),
        str(area),
        # Heron's formula, in squares of the sides.
        lambda answer: (
            16 * answer**2
            == _heron((a - c) ** 2 + (b - d) ** 2, (c - e) ** 2 + (d - f) ** 2, (e - a) ** 2 + (f - b) ** 2)
        ),
    )


def _heron(p: int, q: int, r: int) -> int:
    return 4 * p * q - (p + q - r) ** 2


@script("geometry")
def cylinder_volume(draw: random.Random, level: int) -> Drawn:
    """The volume of a cylinder, or from level 2 of a cone, as a multiple of pi."""
    radius, height = draw.randint(2, _size(level)), draw.randint(2, _size(level))
    cone = level > 1 and draw.random() < 0.5
    volume = sympy.Rational(radius * radius * height, 3 if cone else 1) * sympy.pi
    return Drawn(
        f"Find the volume of a {'cone' if cone else 'cylinder'} with radius {radius} and height {height}. "
        "Answer as a multiple of $\\pi$.",
        (
            f"The base has the area $\\pi \\cdot {radius}^2 = {radius * radius}\\pi$.",
            f"The volume is {'a third of ' if cone else ''}base times height: ${_tex(volume)}$.",
        ),
        str(volume),
        lambda answer: answer * (3 if cone else 1) / (sympy.pi * radius**2) == height,
    )


@script("geometry")
def perpendicular_line(draw: random.Random, level: int) -> Drawn:
    """The line through a point at a right angle to a given line."""
    x, size = _x(), 3 + 3 * level
    slope, shift, p, q = _whole(draw, size), draw.randint(-size, size), _whole(draw, size), _whole(draw, size)
    turned = sympy.Rational(-1, slope)
    line = turned * (x - p) + q
    return Drawn(
        f"Find the line through $({p}, {q})$ at a right angle to $y = {_tex(slope * x + shift)}$. "
        "Answer with the right side of $y = mx + b$.",
        (
            f"The given slope is ${slope}$, so the slope wanted is ${_tex(turned)}$.",
            f"Through the point: $y = {_tex(turned)}(x {_plus(-p)}) {_plus(q)} = {_tex(sympy.expand(line))}$.",
        ),
        _plain(sympy.expand(line)),
        lambda answer: (
            answer.subs(x, p) == q
            # The directions of the two lines have the product 0.
            and 1 + slope * (answer.subs(x, 1) - answer.subs(x, 0)) == 0
        ),
    )


@script("geometry")
def angles_in_ratio(draw: random.Random, level: int) -> Drawn:
    """The largest angle of a triangle whose angles are in a given ratio."""
    parts = sorted(draw.randint(1, 4 + 4 * level) for _ in range(3))
    total = sum(parts)
    largest = sympy.Rational(180 * parts[2], total)
    return Drawn(
        f"The angles of a triangle are in the ratio {parts[0]} : {parts[1]} : {parts[2]}. "
        "How many degrees has the largest?",
        (
            f"The angles add up to $180$ degrees, in ${total}$ equal parts.",
            f"The largest has ${parts[2]}$ of them: ${parts[2]} \\cdot \\frac{{180}}{{{total}}} = {_tex(largest)}$.",
        ),
        str(largest),
        lambda answer: sum(answer * part / parts[2] for part in parts) == 180,
    )


# --- statistics and probability ---


@script("statistics")
def mean_and_median(draw: random.Random, level: int) -> Drawn:
    """Mean and median of a list of numbers."""
    values = [draw.randint(1, 30 * level) for _ in range(4 + level)]
    ranked, n = sorted(values), len(values)
    mean = sympy.Rational(sum(values), n)
    median = sympy.Rational(ranked[(n - 1) // 2] + ranked[n // 2], 2)
    return Drawn(
        f"Find the mean and the median of {', '.join(map(str, values))}. Answer with the pair (mean, median).",
        (
            f"The sum is ${sum(values)}$, so the mean is $\\frac{{{sum(values)}}}{{{n}}} = {_tex(mean)}$.",
            f"In order the numbers are {', '.join(map(str, ranked))}; the middle is ${_tex(median)}$.",
        ),
        f"({mean}, {median})",
        # The median has the least sum of distances; of an even number of values, those between the middle two do.
        lambda answer: (
            sum(value - answer[0] for value in values) == 0
            and all(_far(answer[1], values) <= _far(value, values) for value in values)
            and answer[1] * 2 == ranked[~(n // 2)] + ranked[n // 2]
        ),
    )


def _far(place: Any, values: list[int]) -> Any:
    return sum(abs(value - place) for value in values)


@script("statistics")
def population_variance(draw: random.Random, level: int) -> Drawn:
    """The variance of a list of numbers, taken as the whole population."""
    values = [draw.randint(-5 * level, 10 * level) for _ in range(3 + level)]
    n = len(values)
    mean = sympy.Rational(sum(values), n)
    squares = [(value - mean) ** 2 for value in values]
    variance = sum(squares) / n
    return Drawn(
        f"Find the population variance of {', '.join(map(str, values))}.",
        (
            f"The mean is ${_tex(mean)}$.",
            f"The squared differences from it are ${', '.join(_tex(s) for s in squares)}$.",
            f"Their mean is ${_tex(variance)}$.",
        ),
        str(variance),
        # The squared differences of all pairs, which need no mean.
        lambda answer: answer * n * n == sum((a - b) ** 2 for a, b in itertools.combinations(values, 2)),
    )


@script("statistics")
def missing_value(draw: random.Random, level: int) -> Drawn:
    """The number that brings a list to a given mean."""
    values = [draw.randint(1, 20 * level) for _ in range(3 + level)]
    mean = draw.randint(5, 20 * level)
    wanted = mean * (len(values) + 1) - sum(values)
    return Drawn(
        f"Which number must be added to the list {', '.join(map(str, values))} so that its mean is {mean}?",
        (
            (
                f"With it there are ${len(values) + 1}$ numbers, with the sum ${mean} \\cdot {len(values) + 1} = "
                f"{mean * (len(values) + 1)}$."
            ),
            f"The given ones add up to ${sum(values)}$, so the number is ${wanted}$.",
        ),
        str(wanted),
        lambda answer: sum(value - mean for value in [*values, answer]) == 0,
    )


@script("probability")
def balls_of_one_colour(draw: random.Random, level: int) -> Drawn:
    """The probability that balls drawn without replacement are all red."""
    red, blue, taken = (
        draw.randint(3, 3 + 2 * level),
        draw.randint(2, 3 + 2 * level),
        draw.randint(2, min(3, 1 + level)),
    )
    good, every = math.comb(red, taken), math.comb(red + blue, taken)
    chance = sympy.Rational(good, every)
    return Drawn(
        f"A bag holds {red} red and {blue} blue balls. {taken} are drawn without putting any back. "
        "What is the probability that all of them are red?",
        (
            f"There are $\\binom{{{red + blue}}}{{{taken}}} = {every}$ ways to draw them.",
            f"$\\binom{{{red}}}{{{taken}}} = {good}$ of these have red balls only.",
            f"The probability is $\\frac{{{good}}}{{{every}}} = {_tex(chance)}$.",
        ),
        str(chance),
        lambda answer: answer == sympy.prod(sympy.Rational(red - i, red + blue - i) for i in range(taken)),
    )


@script("probability")
def exact_successes(draw: random.Random, level: int) -> Drawn:
    """The probability of a number of successes in independent trials."""
    n, sides = draw.randint(2, 3 + level), draw.choice((2, 3, 4, 5, 6, 8, 10))
    k = draw.randint(1, n)
    p = sympy.Rational(1, sides)
    chance = math.comb(n, k) * p**k * (1 - p) ** (n - k)
    rows = [sympy.Integer(1)]
    return Drawn(
        f"A spinner has {sides} equal fields, one of them red. It is spun {n} times. "
        f"What is the probability that it stops on red exactly {k} times?",
        (
            f"One pattern of {k} reds has the probability ${_tex(p)}^{{{k}}} \\cdot ({_tex(1 - p)})^{{{n - k}}}$.",
            f"There are $\\binom{{{n}}}{{{k}}} = {math.comb(n, k)}$ patterns.",
            f"The probability is ${_tex(chance)}$.",
        ),
        str(chance),
        lambda answer: answer == _after_trials(rows, p, n)[k],
    )


def _after_trials(start: list[Any], p: Any, n: int) -> list[Any]:
    """The distribution of successes, one trial at a time."""
    chances = start
    for _ in range(n):
        chances = [
            (chances[k] if k < len(chances) else 0) * (1 - p) + (chances[k - 1] * p if k else 0)
            for k in range(len(chances) + 1)
        ]
    return chances


@script("probability")
def bayes_test(draw: random.Random, level: int) -> Drawn:
    """The probability of a condition after a positive test."""
    people, share = 1000 * level, draw.choice((1, 2, 4, 5, 10, 20))
    right, wrong = draw.choice((80, 90, 95)), draw.choice((5, 10, 20))
    sick = people * share // 100
    hits, alarms = sympy.Rational(sick * right, 100), sympy.Rational((people - sick) * wrong, 100)
    chance = hits / (hits + alarms)
    return Drawn(
        f"{share} % of {people} machines have a fault. A test finds {right} % of the faults and raises a false alarm "
        f"on {wrong} % of the sound machines. What is the probability that a machine with an alarm has the fault?",
        (
            f"${sick}$ machines have the fault; the test finds ${_tex(hits)}$ of them.",
            f"Of the ${people - sick}$ sound ones ${_tex(alarms)}$ raise an alarm.",
            f"The probability is ${_tex(hits)}$ of ${_tex(hits + alarms)}$, that is ${_tex(chance)}$.",
        ),
        str(chance),
        lambda answer: answer / (1 - answer) == sympy.Rational(share * right, (100 - share) * wrong),
    )


@script("probability")
def expected_prize(draw: random.Random, level: int) -> Drawn:
    """The expected value of a prize with given odds."""
    weights = [draw.randint(1, 6) for _ in range(2 + level)]
    prizes = draw.sample(range(1, 10 * level + 10), len(weights))
    total = sum(weights)
    value = sum(sympy.Rational(w * p, total) for w, p in zip(weights, prizes, strict=True))
    listed = ", ".join(f"{w} pay {p}" for w, p in zip(weights, prizes, strict=True))
    return Drawn(
        f"A box has {total} tickets: {listed}. What does a ticket drawn at random pay on average?",
        (
            f"All tickets together pay ${sum(w * p for w, p in zip(weights, prizes, strict=True))}$.",
            f"Divided by ${total}$ tickets this is ${_tex(value)}$.",
        ),
        str(value),
        lambda answer: sum(w * (p - answer) for w, p in zip(weights, prizes, strict=True)) == 0,
    )


# --- combinatorics ---


@script("combinatorics")
def arrangements_of_letters(draw: random.Random, level: int) -> Drawn:
    """How many words the letters of a word with repeated letters make."""
    letters = sorted(draw.choice("ABCDE"[: 2 + level]) for _ in range(3 + level))
    draw.shuffle(letters)
    counts = {letter: letters.count(letter) for letter in sorted(set(letters))}
    below = " \\cdot ".join(f"{k}!" for k in counts.values())
    value = math.factorial(len(letters)) // math.prod(map(math.factorial, counts.values()))
    return Drawn(
        f"In how many different orders can the letters of {''.join(letters)} be written?",
        (
            f"There are ${len(letters)}$ letters: {', '.join(f'{k} of {letter}' for letter, k in counts.items())}.",
            f"The number of orders is $\\frac{{{len(letters)}!}}{{{below}}} = {value}$.",
        ),
        str(value),
        lambda answer: answer == len(set(itertools.permutations(letters))),
    )


@script("combinatorics")
def committees(draw: random.Random, level: int) -> Drawn:
    """How many committees have given numbers of two groups."""
    a, b = draw.randint(3, 4 + 2 * level), draw.randint(3, 4 + 2 * level)
    k, m = draw.randint(1, min(a, 2 + level) - 1), draw.randint(1, min(b, 2 + level) - 1)
    ways = math.comb(a, k), math.comb(b, m)
    return Drawn(
        f"From {a} teachers and {b} students a committee of {k} teacher(s) and {m} student(s) is chosen. "
        "In how many ways can this be done?",
        (
            f"The teachers are chosen in $\\binom{{{a}}}{{{k}}} = {ways[0]}$ ways.",
            f"The students are chosen in $\\binom{{{b}}}{{{m}}} = {ways[1]}$ ways.",
            f"Together ${ways[0]} \\cdot {ways[1]} = {ways[0] * ways[1]}$.",
        ),
        str(ways[0] * ways[1]),
        lambda answer: (
            answer == math.prod(sum(1 for _ in itertools.combinations(range(p), q)) for p, q in ((a, k), (b, m)))
        ),
    )


@script("combinatorics")
def lattice_paths(draw: random.Random, level: int) -> Drawn:
    """How many shortest paths lead through a grid, from level 2 by way of a given crossing."""
    right, up = draw.randint(2, 3 + 2 * level), draw.randint(2, 3 + 2 * level)
    via = (draw.randint(1, right - 1), draw.randint(1, up - 1)) if level > 1 else (0, 0)
    legs = [via, (right - via[0], up - via[1])]
    counts = [math.comb(p + q, p) for p, q in legs]
    asked = f" by way of $({via[0]}, {via[1]})$" if level > 1 else ""
    return Drawn(
        f"How many paths lead from $(0, 0)$ to $({right}, {up})$ in unit steps to the right or up{asked}?",
        (
            *(
                f"A part of ${p}$ steps to the right and ${q}$ up can be ordered in "
                f"$\\binom{{{p + q}}}{{{p}}} = {n}$ ways."
                for (p, q), n in zip(legs, counts, strict=True)
                if p + q
            ),
            f"So there are ${math.prod(counts)}$ paths.",
        ),
        str(math.prod(counts)),
        lambda answer: answer == math.prod(_walks(p, q) for p, q in legs),
    )


def _walks(right: int, up: int) -> int:
    """Paths by adding up, crossing by crossing."""
    row = [1] * (right + 1)
    for _ in range(up):
        row = list(itertools.accumulate(row))
    return row[-1]


@script("combinatorics")
def sharing_sweets(draw: random.Random, level: int) -> Drawn:
    """In how many ways equal things can be shared out."""
    sweets, children = draw.randint(4, 5 + 4 * level), draw.randint(2, 3 + level)
    each = draw.randint(0, min(level - 1, sweets // children))
    left = sweets - each * children
    value = math.comb(left + children - 1, children - 1)
    first = f" so that each gets at least {each}" if each else ""
    return Drawn(
        f"In how many ways can {sweets} equal sweets be given to {children} children{first}?",
        (
            f"Give {each} to each child first: ${left}$ are left to share freely." if each else "Nothing is fixed.",
            (
                f"Sharing ${left}$ among ${children}$ is placing ${children - 1}$ bars among "
                f"${left + children - 1}$ places."
            ),
            f"There are $\\binom{{{left + children - 1}}}{{{children - 1}}} = {value}$ ways.",
        ),
        str(value),
        lambda answer: answer == _shares(sweets, children, each),
    )


def _shares(things: int, people: int, least: int) -> int:
    """Ways to share, one person at a time."""
    if people == 1:
        return int(things >= least)
    return sum(_shares(things - own, people - 1, least) for own in range(least, things + 1))


# --- word problems ---


@script("word problems")
def meeting_trains(draw: random.Random, level: int) -> Drawn:
    """When two travellers who start towards each other meet."""
    u, v, hours = 5 * draw.randint(6, 20), 5 * draw.randint(6, 20), draw.randint(1, 3 + level)
    minutes = draw.choice((0, 30)) if level > 1 else 0
    time = hours + sympy.Rational(minutes, 60)
    distance = (u + v) * time
    return Drawn(
        f"Two trains start at the same time from stations {distance} km apart and travel towards each other at "
        f"{u} km/h and {v} km/h. After how many hours do they meet?",
        (
            f"They come nearer to each other by ${u} + {v} = {u + v}$ km every hour.",
            f"They meet after $\\frac{{{distance}}}{{{u + v}}} = {_tex(time)}$ hours.",
        ),
        str(time),
        lambda answer: u * answer == distance - v * answer,
    )


@script("word problems")
def working_together(draw: random.Random, level: int) -> Drawn:
    """How long people who work at different speeds take together."""
    hours = [draw.randint(2, 6 + 3 * level) for _ in range(2 + (level > 2))]
    people = draw.sample(("Amara", "Bo", "Chen", "Dilek", "Emil"), len(hours))
    rate = sum(sympy.Rational(1, h) for h in hours)
    told = ", ".join(f"{p} needs {h} hours" for p, h in zip(people, hours, strict=True))
    return Drawn(
        f"To paint a fence alone, {told}. How many hours do they need together?",
        (
            f"In an hour they paint ${', '.join(_tex(sympy.Rational(1, h)) for h in hours)}$ of the fence.",
            f"Together that is ${_tex(rate)}$ an hour.",
            f"They need ${_tex(1 / rate)}$ hours.",
        ),
        str(1 / rate),
        lambda answer: sum(answer / h for h in hours) == 1,
    )


@script("word problems")
def mixing_solutions(draw: random.Random, level: int) -> Drawn:
    """How much of a strong solution brings a weak one to a given strength."""
    weak, wanted, strong = sorted(draw.sample(range(5, 95, 5 if level < 3 else 1), 3))
    litres = draw.randint(2, 10 * level)
    amount = sympy.Rational(litres * (wanted - weak), strong - wanted)
    return Drawn(
        f"How many litres of a {strong} % salt solution must be added to {litres} litres of a {weak} % solution "
        f"to get a {wanted} % solution?",
        (
            f"With $x$ litres the salt is ${weak} \\cdot {litres} + {strong}x = {wanted}({litres} + x)$ hundredths.",
            f"So ${strong - wanted}x = {litres * (wanted - weak)}$.",
            f"$x = {_tex(amount)}$.",
        ),
        str(amount),
        lambda answer: (weak * litres + strong * answer) / (litres + answer) == wanted,
    )


@script("word problems")
def coins_in_purse(draw: random.Random, level: int) -> Drawn:
    """How many coins of each of two kinds make up a number and a value."""
    small, large = sorted(draw.sample((1, 2, 5, 10, 20, 50), 2))
    p, q = draw.randint(2, 8 * level), draw.randint(2, 8 * level)
    name, value = _name(draw), p * small + q * large
    return Drawn(
        f"{name} has {p + q} coins of {small} and {large} cents, worth {value} cents together. "
        f"How many of each are there? Answer with the pair ({small} cents, {large} cents).",
        (
            (
                f"If all were {small} cents they would be worth ${small * (p + q)}$ cents, "
                f"${value - small * (p + q)}$ too few."
            ),
            (
                f"Each coin of {large} cents adds ${large - small}$, so there are "
                f"$\\frac{{{value - small * (p + q)}}}{{{large - small}}} = {q}$ of them."
            ),
            f"The other ${p}$ are {small} cents.",
        ),
        f"({p}, {q})",
        lambda answer: answer[0] + answer[1] == p + q and small * answer[0] + large * answer[1] == value,
    )


@script("word problems")
def price_changes(draw: random.Random, level: int) -> Drawn:
    """The price after changes by percentages, or from level 3 before them."""
    price = sympy.Integer(20 * draw.randint(2, 10 * level))
    changes = [draw.choice((-50, -40, -30, -25, -20, -10, 10, 20, 25, 30, 40, 50)) for _ in range(min(3, level + 1))]
    now, steps = price, list[str]()
    for change in changes:
        steps.append(f"${_tex(now)} \\cdot \\frac{{{100 + change}}}{{100}} = {_tex(now * (100 + change) / 100)}$.")
        now = now * (100 + change) / 100
    told = ", then ".join(f"{'raised' if change > 0 else 'cut'} by {abs(change)} %" for change in changes)
    return Drawn(
        f"A coat costs {price} euros. Its price is {told}. What does it cost in the end, in euros?",
        tuple(steps),
        str(now),
        lambda answer: sympy.prod(sympy.Rational(100, 100 + change) for change in changes) * answer == price,
    )


@script("word problems")
def compound_interest(draw: random.Random, level: int) -> Drawn:
    """What a deposit grows to with yearly compound interest, exactly."""
    deposit, rate, years = 1000 * draw.randint(1, 10), draw.choice((2, 4, 5, 10, 20)), draw.randint(2, 1 + level)
    growth = 1 + sympy.Rational(rate, 100)
    value = deposit * growth**years
    return Drawn(
        f"{_name(draw)} deposits {deposit} euros at {rate} % interest a year, added to the deposit every year. "
        f"How much is there after {years} years, exactly, in euros?",
        (
            f"Every year the deposit is multiplied by ${_tex(growth)}$.",
            f"After ${years}$ years there are ${deposit} \\cdot ({_tex(growth)})^{{{years}}} = {_tex(value)}$.",
        ),
        str(value),
        lambda answer: answer == _grown(sympy.Integer(deposit), rate, years),
    )


def _grown(deposit: Any, rate: int, years: int) -> Any:
    """The deposit year by year."""
    for _ in range(years):
        deposit += deposit * rate / 100
    return deposit


@script("word problems")
def ages(draw: random.Random, level: int) -> Drawn:
    """The age of a child from how many times older a parent is now and later."""
    times, years, later = draw.randint(3, 6), draw.randint(2, 6 + 4 * level), draw.randint(2, 3)
    if times <= later or (years * (later - 1)) % (times - later):
        raise ValueError("the age is no integer")
    child = years * (later - 1) // (times - later)
    name = _name(draw)
    return Drawn(
        f"{name}'s mother is {times} times as old as {name}. In {years} years she will be {later} times as old. "
        f"How old is {name} now?",
        (
            f"With $a$ for the age, ${times}a + {years} = {later}(a + {years})$.",
            f"So ${times - later}a = {later * years - years}$ and $a = {child}$.",
        ),
        str(child),
        lambda answer: answer > 0 and times * answer + years == later * (answer + years),
    )
