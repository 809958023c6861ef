"""The tour's second notebook: the ten questions as frames, composed from the functions that answer them."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from luma_bench.demo import as_frames
from luma_bench.demo.notebook import FILE as FIRST
from luma_bench.demo.notebook import OPEN, composed
from luma_bench.demo.questions import QUESTIONS, Question

TITLE = "The same, as DataFrames"
FILE = FIRST.with_name("02-the-same-as-dataframes.ipynb")
"""Where a source checkout keeps the notebook."""

_OPENING = f"""\
# {TITLE}

The ten questions of the first notebook, written with pandas' names. A frame is a plan: nothing runs until its rows are asked
for, and then it is one KadeQL text on the same engines (`frame.kadeql` prints it, `frame.explain()` the plan and the rules that
changed it). The last line of each cell compares the frame with the text of the first notebook."""

_IMPORTS = f"""\
import pandas as pd

import luma_bench as lb
from luma_bench.demo.questions import QUESTIONS

ZONE = "{as_frames.ZONE}"


def agrees(frame, number):
    question = QUESTIONS[number - 1]
    expected = bench.kadeql(question.text, params=dict(question.params)).to_pandas()
    # Halves are rounded to the even neighbour by frames, and away from zero by SQL.
    pd.testing.assert_frame_equal(frame.to_pandas(), expected, check_dtype=False, atol=0.11)
    return f"the same {{len(expected)}} rows as question {{number}}\""""

_TEXT = """\
## What it stands for

Any frame shows the text that it runs; the text gives the same rows when it is run by hand."""


def compose() -> Any:
    """The notebook without outputs: valid nbformat 4.5, cell ids that stay the same."""
    return composed((name, kind, source, ()) for name, kind, source in _cells())


def write(path: Path = FILE) -> None:
    """Write the composed notebook; `python -m luma_bench.demo.notebook_frames` does it for the source checkout."""
    import nbformat

    nbformat.write(compose(), path)


def _cells() -> Iterator[tuple[str, str, str]]:
    yield "title", "markdown", _OPENING
    yield "open", "code", OPEN
    yield "imports", "code", _IMPORTS
    for question, answer in zip(QUESTIONS, as_frames.ANSWERS, strict=True):
        said = (inspect.getdoc(answer) or "").splitlines()[0]
        yield (
            f"question-{question.number}",
            "markdown",
            f"## {question.number}. {question.title}\n\n{said}",
        )
        yield f"answer-{question.number}", "code", _code(question, answer)
        yield f"agrees-{question.number}", "code", f"agrees(answer, {question.number})"
    yield "text", "markdown", _TEXT
    yield "text-shown", "code", "print(answer.kadeql)"
    yield (
        "text-run",
        "code",
        "bench.kadeql(answer.kadeql).to_arrow().equals(answer.to_arrow())",
    )


def _code(question: Question, answer: Callable[..., Any]) -> str:
    """The body of the function, with its value under a name and shown."""
    source = textwrap.dedent(inspect.getsource(answer))
    body = re.sub(r'\A.*?\n    """.*?"""\n', "", source, count=1, flags=re.DOTALL)
    body = re.sub(r"(?m)^    import .*\n\n?", "", body)
    body = textwrap.dedent(body).strip()
    head, last = body.rsplit("return ", 1)
    return f"{head}answer = {last}\nanswer"


if __name__ == "__main__":
    write()
