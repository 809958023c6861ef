"""One file against one bench: what it asks is run, what comes out is compared, and the first verdict that counts is kept."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqllogic_answer import Answer, differs
from sqllogic_rules import own_rule
from sqllogic_settings import setting
from sqllogic_sides import (
    BenchSide,
    BrokenError,
    CannotError,
    DuckSide,
    FailedError,
    OtherRuleError,
    RefusedError,
    Side,
)
from sqllogic_text import (
    Command,
    LoopRecord,
    QueryRecord,
    Record,
    StatementRecord,
    UnreadableError,
    read,
)

PRESENT = frozenset({
    "parquet", "json", "icu", "core_functions", "64bit", "notwindows", "notmusl", "notmingw", "longdouble", "strinline",
    "noforcestorage", "no_force_storage", "skip_reload", "no_alternative_verify", "no_vector_verification", "nothreadsan",
    "no_extension_autoloading", "no_latest_storage", "vector_size", "exact_vector_size", "block_size",
})  # fmt: skip
"""What a file may require and get."""
_READS = re.compile(r"^\s*(?:\(|SELECT|FROM|VALUES|TABLE|WITH|EXPLAIN|DESCRIBE|DESC|SHOW|SUMMARIZE|PIVOT|UNPIVOT|PRAGMA|CALL)\b", re.IGNORECASE)  # fmt: skip
_CHANGES = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|CREATE)\b", re.IGNORECASE)
_PLAIN_INDEX = re.compile(r"^\s*CREATE\s+INDEX\b", re.IGNORECASE)
_CONFLICT = re.compile(r"TransactionContext Error|[Cc]onflict")
_NOT_THERE = re.compile(
    r"[Nn]ot (?:yet )?(?:implemented|supported)|cannot contain a subquery|Can not create a STORED|"
    r"on a generated column|constraint for generated column|is a generated column",
    re.IGNORECASE,
)
_BOUND = re.compile(r"Dependency Error: Cannot alter|Cannot rename column .* foreign key")
_OURS = re.compile(r"^\s*(?:EXPLAIN|SHOW)\b", re.IGNORECASE)
"""Texts whose answer KadeQL words in its own way: plans, and lists of tables."""
_ORDER = re.compile(r"\bORDER\s+BY\b", re.IGNORECASE)
_ANY_ROWS = re.compile(r"\bLIMIT\s+\d+|\bFETCH\s+FIRST\b", re.IGNORECASE)
MOST_WRONG = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a file ended.

    Attributes
    ----------
    verdict
        `passed`, `refused`, `skipped` or `WRONG`.
    reason
        The first refusal, why it was skipped, or what is wrong, with the line.
    ran
        How many records ran and were right.
    refusals
        Every refusal that was met.
    """

    path: str
    verdict: str
    reason: str = ""
    ran: int = 0
    refusals: tuple[str, ...] = ()


class _Ended(Exception):
    """The rest of the file is not run."""


class _NextTurn(Exception):
    """The rest of the loop's body is not run."""


class FileRun:
    """Runs one file in a folder of its own."""

    def __init__(self, checkout: Path, path: Path, folder: Path) -> None:
        self.path = path
        self._folder = folder
        self._bench = BenchSide(folder, checkout)
        self._peer: DuckSide | None = None
        self._log: list[Callable[[Side], object]] = []
        self._words = {
            "TEST_DIR": str(folder / "files"), "TEMP_DIR": str(folder / "files"), "DATA_DIR": str(checkout / "data"),
            "WORKING_DIRECTORY": str(checkout), "TEST_NAME": path.stem, "BASE_TEST_NAME": path.stem, "UUID": uuid.uuid4().hex,
        }  # fmt: skip
        self._variables: dict[str, str] = {}
        self._labels: dict[str, str] = {}
        self._refusals: list[str] = []
        self._wrong: list[str] = []
        self._skipped = ""
        self._own_rule = ""
        self._ran = 0

    def run(self, name: str) -> Outcome:
        """Run the file to its end, or to where nothing more can be said about it."""
        (self._folder / "files").mkdir(parents=True, exist_ok=True)
        try:
            self._all(read(self.path.read_text("utf-8", errors="surrogateescape")))
        except _Ended:
            pass
        except (UnreadableError, CannotError) as error:
            self._skipped = self._skipped or f"the runner: {error}"
        finally:
            self._bench.close()
            if self._peer is not None:
                self._peer.close()
        refusals = tuple(self._refusals)
        rule = own_rule(name, self._wrong) if self._wrong else ""
        if rule:
            self._wrong, self._skipped = [], f"KadeQL's own rule: {rule}"
        if self._wrong:
            return Outcome(name, "WRONG", "\n".join(self._wrong), self._ran, refusals)
        if refusals:
            return Outcome(name, "refused", refusals[0], self._ran, refusals)
        if self._skipped:
            return Outcome(name, "skipped", self._skipped, self._ran)
        return Outcome(name, "passed", "", self._ran)

    def _all(self, records: Sequence[Record]) -> None:
        for record in records:
            if not all(condition.runs(self._variables) for condition in record.when):
                continue
            match record:
                case StatementRecord():
                    self._statement(replace(record, sql=self._filled(record.sql)))
                case QueryRecord():
                    expected = tuple(self._filled(line) for line in record.expected)
                    self._query(replace(record, sql=self._filled(record.sql), expected=expected))
                case LoopRecord():
                    self._loop(record)
                case Command():
                    self._command(record)
                case _:
                    raise UnreadableError(type(record).__name__)

    def _loop(self, record: LoopRecord) -> None:
        outer = dict(self._variables)
        names = record.variable.split(",")
        for value in record.values:
            value = self._filled(value)
            if value.startswith("<"):
                raise UnreadableError(f"foreach {value}")
            parts = value.split(",") if len(names) > 1 else [value]
            self._variables = outer | dict(zip(names, parts, strict=True))
            try:
                self._all(record.body)
            except _NextTurn:
                continue
            finally:
                self._variables = outer

    def _command(self, record: Command) -> None:
        match record.word, record.arguments:
            case "require", (feature, *rest):
                present = feature in PRESENT and not (feature == "vector_size" and int(rest[0]) > 2048)
                if not present:
                    self._stop(f"require {feature}")
            case "require-env", (name, *_):
                self._stop(f"require-env {name}")
            case "test-env", (name, value, *_):
                self._words[name] = value
            case "load", (*arguments,):
                name = self._filled(arguments[0]) if arguments else ""
                read_only = "readonly" in arguments
                self._both(lambda side: side.load(name, read_only))
            case "restart" | "reconnect", _:
                self._both(lambda side: side.restart())
            case "set", ("variable", name, value):
                self._words[name] = value
            case "set", ("ignore_error_messages" | "always_fail_error_messages", *_):
                pass
            case "reset", ("label", name):
                self._labels.pop(name, None)
            case "sleep", (amount, unit):
                time.sleep(min(1.0, float(amount) * {"s": 1.0, "m": 1e-3}.get(unit[0], 1e-6)))
            case "continue", _:
                raise _NextTurn
            case "halt", _:
                raise _Ended
            case "tags" | "hash-threshold", _:
                pass
            case word, arguments:
                self._stop(f"the runner: {word} {arguments[0] if arguments else ''}".rstrip())

    def _statement(self, record: StatementRecord) -> None:
        if record.expect != "ok" and setting(record.sql) is not None:
            return
        try:
            self._bench.execute(record.sql, record.connection)
            ended = ""
        except RefusedError as error:
            ended = "refused"
            if record.expect == "ok":
                self._refused(record.sql, str(error))
                return
        except FailedError as error:
            ended = str(error)
            if isinstance(error, OtherRuleError):
                self._own_rule = self._own_rule or "two writers of the same rows: the second to commit loses"
            elif self._bench.in_transaction(record.connection):
                self._own_rule = self._own_rule or "a failed statement leaves its transaction open"
        except BrokenError as error:
            self._judge(record, str(error))
            raise _Ended from error
        right = record.expect == "maybe" or (record.expect == "error") is bool(ended)
        failed = self._ask_peer(record)[1] if self._peer is not None or not right else ""
        self._note(record.sql, record.connection)
        if not right and bool(failed) is not bool(ended):
            if not ended and _NOT_THERE.search(failed):
                self._own_rule = self._own_rule or "what DuckDB says it does not support, KadeQL serves"
            if not ended and _BOUND.search(failed):
                self._own_rule = self._own_rule or "a foreign key follows tables and columns that are renamed"
            if _CONFLICT.search(failed):
                self._own_rule = self._own_rule or "two writers of the same rows: the second to commit loses"
            self._judge(record, ended or f"runs, and DuckDB says {failed.splitlines()[0][:300]}")
            raise _Ended
        self._ran += 1

    def _query(self, record: QueryRecord) -> None:
        wrong, answer = "", None
        try:
            answer = self._bench.execute(record.sql, record.connection).sorted(record.sort)
            wrong = self._compared(record, answer)
        except RefusedError as error:
            self._refused(record.sql, str(error))
            return
        except FailedError as error:
            wrong = str(error)
        except BrokenError as error:
            wrong = str(error)
        if wrong or self._peer is not None:
            theirs, failed = self._ask_peer(record)
            if answer is None or theirs is None:
                right = answer is None and theirs is None and bool(failed)
            else:
                right = not differs(answer, theirs.sorted(record.sort).values) or _unordered(
                    record.sql, answer, theirs
                )
            if wrong and not right:
                self._judge(record, wrong)
                self._note(record.sql, record.connection)
                if _changes(record.sql):
                    raise _Ended
                return
        self._note(record.sql, record.connection)
        self._ran += 1

    def _compared(self, record: QueryRecord, answer: Answer) -> str:
        if _OURS.match(record.sql):
            return ""
        compared = not record.label or record.expected
        if compared and record.columns and answer.columns and answer.columns != record.columns:
            return f"{answer.columns} columns, expected {record.columns}"
        if record.label:
            first = self._labels.setdefault(record.label, answer.hashed())
            if first != answer.hashed():
                return f"another answer than the first query {record.label!r}"
        return differs(answer, record.expected, hashed=bool(record.label) and not record.expected)

    def _refused(self, sql: str, message: str) -> None:
        self._refusals.append(message.splitlines()[0])
        if (_changes(sql) or "reject" in sql.casefold()) and not _PLAIN_INDEX.match(sql):
            raise _Ended

    def _ask_peer(self, record: StatementRecord | QueryRecord) -> tuple[Answer | None, str]:
        """What plain DuckDB says to this record, after all that came before it."""
        if self._peer is None:
            self._peer = DuckSide(self._folder)
            for step in self._log:
                _quietly(step, self._peer)
        try:
            return self._peer.execute(record.sql, record.connection), ""
        except FailedError as error:
            return None, str(error) or "an error"

    def _judge(self, record: StatementRecord | QueryRecord, wrong: str) -> None:
        """Keep what is wrong with a record; behind one that KadeQL rules otherwise, nothing can be said."""
        if self._own_rule:
            self._stop(f"KadeQL's own rule: {self._own_rule}")
        text = " ".join(record.sql.split())
        self._wrong.append(f"line {record.line}: {text[:400]}\n    {wrong[:600]}")
        if len(self._wrong) >= MOST_WRONG:
            raise _Ended

    def _both(self, step: Callable[[Side], None]) -> None:
        step(self._bench)
        if self._peer is not None:
            _quietly(step, self._peer)
        self._log.append(step)

    def _note(self, sql: str, connection: str) -> None:
        self._log.append(lambda side: side.execute(sql, connection))

    def _stop(self, reason: str) -> None:
        self._skipped = reason
        raise _Ended

    def _filled(self, text: str) -> str:
        """The text with the values of loops' variables and of the runner's own words."""
        if "{" in text or "__" in text:
            for name, value in (*self._variables.items(), *self._words.items()):
                text = text.replace(f"${{{name}}}", value).replace(f"{{{name}}}", value)
            text = text.replace("__TEST_DIR__", self._words["TEST_DIR"])
        return text


def _unordered(sql: str, ours: Answer, theirs: Answer) -> bool:
    """Whether a text asks for no order and the answers are the same rows, or as many where it takes any of them."""
    if _ORDER.search(sql) or ours.columns != theirs.columns:
        return False
    if _ANY_ROWS.search(sql):
        return len(ours.values) == len(theirs.values)
    return not differs(ours.sorted("rows"), theirs.sorted("rows").values)


def _changes(sql: str) -> bool:
    """Whether a text may change what later ones read."""
    return _READS.match(sql) is None or (
        sql.lstrip()[:4].upper() == "WITH" and _CHANGES.search(sql) is not None
    )


def _quietly(step: Callable[[Side], object], side: Side) -> None:
    """One step of the past; how it ended was judged when it ran."""
    try:
        step(side)
    except FailedError:
        return
