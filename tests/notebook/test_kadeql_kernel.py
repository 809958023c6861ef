"""The KadeQL kernel, running: bare cells, Python between them, errors in the right line, what editors ask, interrupts."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kadeql_kernel import Kernel

ENDLESS = "SELECT count(*) FROM range(3000000) a, range(3000000) b WHERE a.range * b.range % 7 = 3"


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    made = Kernel()
    yield made
    made.stop()


@pytest.fixture
def opened(kernel: Kernel, bench_path: Path) -> Kernel:
    assert "Opened" in kernel.shown(f'%luma open "{bench_path}"')
    return kernel


def place(said: str) -> tuple[int, int]:
    """The line and the column that an error's caret stands under."""
    lines = said.splitlines()
    caret = next(index for index, line in enumerate(lines) if line.strip(" ^") == "" and "^" in line)
    lead = re.match(r"\s*line (\d+): ", lines[caret - 1])
    assert lead is not None, said
    return int(lead[1]), lines[caret].index("^") - lead.end() + 1


def test_it_says_what_language_it_speaks(kernel: Kernel):
    info = kernel.client.kernel_info(reply=True, timeout=30)["content"]
    assert info["language_info"]["name"] == "kadeql"
    assert info["language_info"]["mimetype"] == "text/x-kadeql"
    assert "debugger" not in info["supported_features"]
    assert "KadeQL" in info["banner"]


def test_a_bare_cell_is_kadeql(opened: Kernel):
    _, outputs = opened.run("SELECT carrier, n FROM flights\nORDER BY n")
    (answer,) = outputs
    assert "4 rows" in answer["data"]["text/plain"]
    assert "<table" in answer["data"]["text/html"]
    assert answer["metadata"]["luma_bench"]["rows"] == 4


def test_python_and_kadeql_share_their_names(opened: Kernel):
    assert (
        opened.shown(
            "%%python\nleast = 3\nimport pandas as pd\nextra = pd.DataFrame({'n': [3, 4]})\nleast + 1"
        )
        == "4"
    )
    assert "2 rows" in opened.shown("SELECT * FROM flights JOIN extra USING (n) WHERE n >= $least")
    assert opened.shown("%%python\nlen(_)") == "2"


def test_lines_of_ipython_may_stand_above(opened: Kernel, bench_path: Path):
    shown = opened.shown(
        f'%luma open "{bench_path}" --mode r\n%python least = 2\n\nSELECT n FROM flights WHERE n > $least'
    )
    assert "2 rows" in shown
    assert "4 rows" in opened.shown("%kadeql SELECT * FROM flights")
    assert "hello" in opened.shown("!echo hello")
    assert opened.shown("%python 6 * 7") == "42"


def test_options_name_and_limit_a_result(opened: Kernel):
    assert "late = 4 rows" in opened.shown("%%kadeql late <<\nSELECT * FROM flights")
    assert opened.shown("%%python\nlen(late)") == "4"
    assert "3 more rows" in opened.shown("%python 1\n%%kadeql --limit 1\nSELECT * FROM flights")


def test_a_cell_of_comments_does_nothing(kernel: Kernel):
    assert kernel.shown("-- what follows is about carriers") == ""
    assert kernel.shown("") == ""


@pytest.mark.parametrize(
    ("cell", "line", "column"),
    [
        ("SELECT n,\n  carier\nFROM flights", 2, 3),
        ("\n\nSELECT carier FROM flights", 3, 8),
        ("%python 1\nSELECT carier FROM flights", 2, 8),
        ("%python 1\n%%kadeql --limit 3\nSELECT n,\n carier FROM flights", 4, 2),
        ("  SELECT n,\n    carier FROM flights", 2, 5),
    ],
)
def test_errors_point_into_the_cell_as_its_editor_counts(opened: Kernel, cell: str, line: int, column: int):
    said = opened.error(cell)
    assert place(said) == (line, column), said
    assert "Traceback" not in said
    assert "carrier" in said


def test_a_wrong_option_is_pointed_at_below_other_lines(opened: Kernel):
    said = opened.error("%python 1\n%%kadeql --limt 3\nSELECT 1")
    assert place(said) == (2, 10)
    assert "--limit" in said


def test_errors_of_python_name_the_line_of_the_cell(kernel: Kernel):
    said = kernel.error("%%python\nx = 1\n\n1 / 0")
    assert "line 4" in said
    assert "ZeroDivisionError" in said
    assert "line 5" in kernel.error("\n%%python\n\nx = 1\n1 / 0")


def test_python_takes_no_words_behind_it(kernel: Kernel):
    assert "takes nothing after it" in kernel.error("%%python --bg\n1")


def test_magics_that_run_cells_run_kadeql(opened: Kernel):
    assert "4 rows" in opened.shown("%%time\nSELECT * FROM flights")
    assert opened.shown("%%capture kept\nSELECT * FROM flights") == ""
    assert "4 rows" in opened.shown("%python kept.outputs[0]")
    assert "Wall time" in opened.shown("%%python\n%%time\nseven = 7")
    assert opened.shown("%python seven") == "7"


def test_history_keeps_what_was_typed(opened: Kernel):
    opened.run("SELECT 42 AS answer", store_history=True)
    assert "SELECT 42 AS answer" in opened.shown(
        "%python _ih and get_ipython().history_manager.input_hist_raw[-2]"
    )


def test_several_statements_run_in_order(opened: Kernel):
    shown = opened.shown(
        "CREATE TABLE made AS SELECT 1 AS a; INSERT INTO made VALUES (2); SELECT sum(a) AS s FROM made"
    )
    assert "3" in shown
    opened.shown("DROP TABLE made")


def test_what_stands_above_a_statement_is_shown_too(opened: Kernel):
    told = opened.shown("%luma tables\nSELECT 41 + 1 AS answer")
    assert told.index("Tables at snapshot") < told.index("answer")
    assert "SELECT" not in told


def test_the_debugger_steps_through_python_alone(opened: Kernel):
    assert "write %%python in the line below" in opened.error("%%debug\nSELECT 1")


def test_a_cursor_outside_of_the_cell_gets_its_answer(opened: Kernel):
    assert "carrier" in opened.ask("complete", "SELECT n, carr", 99)["matches"]
    assert "SELECT" in opened.ask("complete", "   ", 2)["matches"]


def test_completion_stands_where_the_cursor_is(opened: Kernel):
    for cell in (
        "SELECT * FROM fli",
        "%python 1\nSELECT * FROM fli",
        "%%kadeql --limit 3\nSELECT * FROM fli",
    ):
        reply = opened.ask("complete", cell)
        assert "flights" in reply["matches"], cell
        assert cell[reply["cursor_start"] : reply["cursor_end"]] == "fli"
        typed = reply["metadata"]["_jupyter_types_experimental"]
        assert {cell[item["start"] : item["end"]] for item in typed} == {"fli"}


def test_completion_of_commands_and_of_python(opened: Kernel):
    assert "open" in opened.ask("complete", "%luma op")["matches"]
    opened.run("%%python\nvery_long_name = 1")
    cell = "%%python\nvery_lo"
    reply = opened.ask("complete", cell)
    assert "very_long_name" in reply["matches"]
    assert cell[reply["cursor_start"] : reply["cursor_end"]] == "very_lo"
    assert "very_long_name" not in opened.ask("complete", "SELECT very_lo")["matches"]


def test_inspection_explains_tables_and_python(opened: Kernel):
    reply = opened.ask("inspect", "SELECT n FROM flights", 17)
    assert reply["found"]
    assert "carrier" in reply["data"]["text/markdown"]
    opened.run("%%python\ndef shout(text: str) -> str:\n    '''Say it loudly.'''\n    return text.upper()")
    reply = opened.ask("inspect", "%%python\nshout", 12)
    assert "Say it loudly" in reply["data"]["text/plain"]
    assert not opened.ask("inspect", "SELECT nothing_of_this_name FROM flights", 12)["found"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("SELECT 1;", "complete"), ("SELECT 1", "incomplete"), ("SELECT 1\n", "complete"), ("SELECT (1", "incomplete"),
        ("SELECT 'a;", "incomplete"), ("SELECT 1); ", "invalid"), ("-- only this", "incomplete"), ("", "complete"),
        ("%luma tables", "complete"), ("%%python\nx = 1\n", "complete"), ("SELECT $$a;", "incomplete"),
        ("SELECT 1 /* ; ", "incomplete"), ("SELECT 1; -- done", "complete"),
    ],
)  # fmt: skip
def test_a_console_knows_when_to_run(kernel: Kernel, code: str, status: str):
    assert kernel.ask("is_complete", code)["status"] == status


def test_an_interrupt_stops_the_statement_and_the_next_cell_runs(opened: Kernel):
    opened.client.execute(ENDLESS)
    time.sleep(1.5)
    asked = time.perf_counter()
    opened.manager.interrupt_kernel()
    reply = opened.client.get_shell_msg(timeout=30)["content"]
    assert time.perf_counter() - asked < 5
    assert (reply["status"], reply["ename"]) == ("error", "CancelledError")
    for _ in range(50):
        reply, outputs = opened.run("SELECT count(*) AS n FROM flights")
        if reply["status"] != "aborted":  # what comes right behind an error, ipykernel itself throws away
            break
        time.sleep(0.1)
    assert "4" in outputs[-1]["data"]["text/plain"]


def test_widgets_show(kernel: Kernel):
    _, outputs = kernel.run("%%python\nimport ipywidgets\nipywidgets.IntSlider()")
    assert "application/vnd.jupyter.widget-view+json" in outputs[-1]["data"]


def test_loading_and_unloading_the_extension_leaves_a_kernel_that_works(opened: Kernel, bench_path: Path):
    opened.run("%load_ext luma_bench")
    opened.shown("%unload_ext luma_bench")
    assert "4 rows" in opened.shown(f'%load_ext luma_bench\n%luma open "{bench_path}"\nSELECT * FROM flights')
