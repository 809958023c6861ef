"""`luma-bench format`: files, notebooks, standard input; what it writes, and when it writes nothing."""

import json
import stat
from pathlib import Path

MESSY = "select a,b from t\nwhere x=1;  -- one\n"
CLEAN = "SELECT a, b FROM t WHERE x = 1; -- one\n"


def test_standard_input_is_set_out(program):
    done = program("format", "-", stdin=MESSY)
    assert (done.returncode, done.stdout) == (0, CLEAN)


def test_one_file_is_shown_and_left_as_it_is(program, tmp_path):
    path = tmp_path / "q.sql"
    path.write_text(MESSY)
    assert program("format", path).stdout == CLEAN
    assert path.read_text() == MESSY


def test_write_replaces_the_files_of_a_folder_with_their_permissions(program, tmp_path):
    folder = tmp_path / "queries"
    (folder / "deep").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    one, two, hidden = folder / "a.sql", folder / "deep" / "b.kadeql", folder / ".hidden" / "c.sql"
    for path in (one, two, hidden):
        path.write_text(MESSY)
    one.chmod(0o640)
    other = folder / "notes.txt"
    other.write_text(MESSY)

    done = program("format", "--write", folder)

    assert done.returncode == 0
    assert [path.read_text() for path in (one, two, hidden, other)] == [CLEAN, CLEAN, MESSY, MESSY]
    assert stat.S_IMODE(one.stat().st_mode) == 0o640
    assert sorted(path.name for path in Path(folder).iterdir()) == [".hidden", "a.sql", "deep", "notes.txt"]
    assert program("format", "--write", folder).stdout == ""


def test_a_link_stays_a_link(program, tmp_path):
    real, link = tmp_path / "real.sql", tmp_path / "link.sql"
    real.write_text(MESSY)
    link.symlink_to(real)
    assert program("format", "-w", link).returncode == 0
    assert link.is_symlink()
    assert real.read_text() == CLEAN


def test_check_and_diff_write_nothing_and_say_what_would_change(program, tmp_path):
    messy, clean = tmp_path / "a.sql", tmp_path / "b.sql"
    messy.write_text(MESSY)
    clean.write_text(CLEAN)

    done = program("format", "--check", "--diff", messy, clean)

    assert done.returncode == 1
    assert done.stderr == f"{messy}: would change\n"
    assert "-select a,b from t\n" in done.stdout
    assert f"+{CLEAN}" in done.stdout
    assert messy.read_text() == MESSY
    assert program("format", "--check", clean).returncode == 0


def test_a_text_that_does_not_parse_is_refused_with_its_place_and_nothing_of_it_is_written(program, tmp_path):
    wrong, right = tmp_path / "a.sql", tmp_path / "b.sql"
    wrong.write_text("select 1;\nselect a form t")
    right.write_text(MESSY)

    done = program("format", "--write", wrong, right)

    assert done.returncode == 1
    assert "a.sql: form is not expected here." in done.stderr
    assert "line 2: select a form t\n                 ^^^^" in done.stderr
    assert "Did you mean FROM?" in done.stderr
    assert wrong.read_text() == "select 1;\nselect a form t"
    assert right.read_text() == CLEAN


def test_line_breaks_and_a_byte_order_mark_stay(program, tmp_path):
    path = tmp_path / "w.sql"
    path.write_bytes("\ufeffselect 1;\r\nselect 'a\r\nb'\r\n".encode())
    assert program("format", "--write", path).returncode == 0
    assert path.read_bytes() == "\ufeffSELECT 1;\r\nSELECT 'a\r\nb'\r\n".encode()


def test_the_cells_of_a_notebook_are_set_out_and_the_rest_stays(program, tmp_path):
    notebook = {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ["%%kadeql\n", "select 1"]},
            {"cell_type": "code", "metadata": {}, "source": ["%%kadeql late << --limit 3\n", "select 1;\n", "select 'ü'"], "outputs": []},
            {"cell_type": "code", "metadata": {}, "source": "%%kadeql\nselect a from t", "outputs": []},
            {"cell_type": "code", "metadata": {}, "source": ["select = 1"], "outputs": []},
        ],
        "metadata": {"kernelspec": {"name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps(notebook))

    assert program("format", "--write", path).returncode == 0

    found = json.loads(path.read_text("utf-8"))
    assert found["cells"][1]["source"] == ["%%kadeql late << --limit 3\n", "SELECT 1;\n", "SELECT 'ü'"]
    assert found["cells"][2]["source"] == "%%kadeql\nSELECT a FROM t"
    notebook["cells"][1]["source"], notebook["cells"][2]["source"] = (
        found["cells"][1]["source"],
        found["cells"][2]["source"],
    )
    assert found == notebook
    before = path.read_bytes()
    assert program("format", "--check", path).returncode == 0
    assert path.read_bytes() == before


def test_a_wrong_cell_is_named(program, tmp_path):
    path = tmp_path / "n.ipynb"
    cell = {"cell_type": "code", "metadata": {}, "source": "%%kadeql\nselect (1", "outputs": []}
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    done = program("format", path)
    assert done.returncode == 1
    assert "cell 1: This ( is never closed." in done.stderr


def test_wrong_usage_is_said(program, tmp_path):
    for arguments in (("--write", "--check", "."), ("--write", "-"), ("x.txt",), (".",)):
        assert program("format", *arguments).returncode == 2
    missing = program("format", tmp_path / "no.sql")
    assert missing.returncode == 1
    assert "cannot be read" in missing.stderr
