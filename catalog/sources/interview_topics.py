"""Topics on which an interviewer may ask for a small program, from first steps to algorithms."""

from collections.abc import Iterator

from catalog.records import Labelled
from catalog.sources import source


@source(table="raw.interview_topics", licence="Apache-2.0", package=None, part="catalog.sources.interview_topics")
def interview_topics() -> Iterator[tuple[Labelled, str]]:
    """Written for this repository: a topic, with its area as the label."""
    for line in _TOPICS.strip().splitlines():
        area, _, topics = line.partition(": ")
        for topic in topics.split("; "):
            yield Labelled(text=topic, label=area, dataset="interview topics"), f"{area}#{topic}"


_TOPICS = """
numbers: doubling a number; the sum of two numbers; the larger of two numbers; whether a number is even; the square of a number; the absolute value; halving a number; the last digit of a number; the sum of the digits; the factorial; whether a number is prime; the greatest common divisor; Fibonacci numbers; powers of two; rounding to a multiple; numbers within a range
texts: the length of a text; a text in capital letters; turning a text around; the first letter; joining two texts; repeating a text; counting a letter; counting words; whether a text is a palindrome; removing spaces; replacing a letter; the longest word; whether two texts are anagrams; the letters without repeats; runs of the same letter; abbreviating a name
lists: the sum of a list; the largest element; the smallest element; the number of elements; the first element; the last element; the mean of a list; sorting a list; turning a list around; the even numbers of a list; the product of a list; elements without repeats; the second largest element; merging two sorted lists; moving zeros to the end; pairs with a given sum
dictionaries: looking up a key; counting how often each word occurs; the key with the largest value; swapping keys and values; grouping words by their first letter; merging two dictionaries
conditions: whether a number is positive; whether a year is a leap year; a grade for a score; the sign of a number; whether a text is empty; whether a list holds an element; fizz buzz; the price after a discount
units and dates: minutes in some hours; degrees Celsius in Fahrenheit; metres in kilometres; the days of a month; seconds as hours and minutes; the age in a year
geometry: the area of a rectangle; the perimeter of a square; the area of a circle; the distance of two points; whether three sides make a triangle; the overlap of two intervals
matrices: the transpose of a matrix; the sum of each row; the diagonal of a matrix; turning a grid by a quarter; counting islands in a grid; a spiral through a matrix
searching and sorting: binary search; the position of an element; the k-th smallest element; sorting by a second field; merging overlapping intervals; the majority element
data structures: balanced brackets with a stack; a queue made of two stacks; the depth of nested lists; flattening nested lists; reversing a linked list; the height of a tree; the least recently used cache
algorithms: climbing stairs in steps of one or two; the fewest coins for an amount; the longest common prefix; the largest sum of neighbours; the shortest path in a graph; the order of tasks that depend on each other; edit distance; permutations of a list; subsets of a set; roman numerals; numbers in binary; run-length encoding
"""  # noqa: E501 - one area a line
