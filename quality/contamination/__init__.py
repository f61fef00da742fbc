"""Contamination: benchmark items in texts, and the signs that a model has seen them.

Layers, from the strictest to the most tolerant. All but the last three compare letters and digits alone: case, Unicode
form, white space, line breaks, punctuation, HTML and LaTeX's layout make no difference.

- `13-gram`: 13 words in a row (GPT-3, https://arxiv.org/abs/2005.14165, appendix C);
- `8-gram`: runs of 8 words that cover 70 % of an item (PaLM, https://arxiv.org/abs/2204.02311, section 8);
- `50 characters`: 50 letters and digits in a row (GPT-4, https://arxiv.org/abs/2303.08774, appendix C), which finds
  text that was spaced anew within its words;
- `whole item`: a short item from its first word to its last;
- `abstracted`: an item with other numbers and names;
- `formula`: a short problem made of formulas, with other numbers;
- `code`: a function with other names, by its syntax tree;
- `semantic`: an item in other words, by shared stems, then by an encoder, then by a judge.
"""

from quality.contamination.hits import Hit, Layer, Verdict
from quality.contamination.index import BenchmarkIndex, Overlap, content_key
from quality.contamination.report import Share, report
from quality.contamination.sealed import hashed
from quality.contamination.semantic import Encode, Judge

__all__ = [
    "BenchmarkIndex",
    "Encode",
    "Hit",
    "Judge",
    "Layer",
    "Overlap",
    "Share",
    "Verdict",
    "content_key",
    "hashed",
    "report",
]
