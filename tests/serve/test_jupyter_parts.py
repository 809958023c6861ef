"""The parts behind the handlers, each by itself: offsets, lanes, open benches, the walk that finds benches."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from luma_bench.errors import CatalogError
from luma_bench.serve.jupyter import benches as benches_module
from luma_bench.serve.jupyter.benches import OpenBenches
from luma_bench.serve.jupyter.finding import find_benches
from luma_bench.serve.jupyter.lanes import BusyError, Lane, SlowError
from luma_bench.serve.jupyter.places import Places
from luma_bench.serve.jupyter.units import Units, whole

# --- offsets ---

TEXTS = st.text(st.sampled_from("a\n é€\ufffd\uffff🙂\U00010000\U0010ffff"), max_size=30)


@settings(deadline=None, max_examples=80)
@given(TEXTS)
def test_offsets_are_those_of_utf16(text: str) -> None:
    units = Units(text)
    for point in range(len(text) + 1):
        counted = len(text[:point].encode("utf-16-le")) // 2
        assert units.units(point) == counted
        assert units.point(counted) == point


@settings(deadline=None, max_examples=80)
@given(TEXTS, st.integers(-5, 100))
def test_any_offset_is_a_place_in_the_text(text: str, offset: int) -> None:
    point = Units(text).point(offset)
    assert 0 <= point <= len(text)
    counted = len(text[:point].encode("utf-16-le")) // 2
    if 0 <= offset <= len(text.encode("utf-16-le")) // 2:
        assert counted <= offset <= counted + 1


@settings(deadline=None, max_examples=100)
@given(st.text(st.characters(), max_size=20))
def test_a_text_is_made_whole_in_its_place(text: str) -> None:
    made = whole(text)
    made.encode("utf-8")
    assert len(made) == len(text)
    assert all(a == b for a, b in zip(text, made, strict=True) if not 0xD800 <= ord(a) <= 0xDFFF)


# --- lanes ---


def test_a_lane_gives_up_what_takes_too_long_and_goes_on() -> None:
    async def story() -> None:
        lane, release = Lane("t", 1), threading.Event()
        with pytest.raises(SlowError):
            await lane.run(release.wait, 0.05)
        ran: list[int] = []
        # It waits behind the slow one, is given up, and must never run.
        with pytest.raises(SlowError):
            await lane.run(lambda: ran.append(1), 0.05)
        release.set()
        assert await lane.run(lambda: 7, 10) == 7
        assert ran == []
        lane.close()

    asyncio.run(story())


def test_a_full_lane_says_so_at_once() -> None:
    async def story() -> None:
        lane, release = Lane("t", 1, waiting=1), threading.Event()
        tasks = [asyncio.ensure_future(lane.run(release.wait, 10)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await lane.run(lambda: 1, 10)
        release.set()
        assert await asyncio.gather(*tasks) == [True, True]
        assert await lane.run(lambda: 1, 10) == 1
        lane.close()
        with pytest.raises(BusyError):
            await lane.run(lambda: 1, 10)

    asyncio.run(story())


def test_a_lane_that_closes_answers_those_who_wait() -> None:
    async def story() -> None:
        lane, release = Lane("t", 1), threading.Event()
        running = asyncio.ensure_future(lane.run(release.wait, 10))
        waiting = asyncio.ensure_future(lane.run(lambda: 1, 10))
        await asyncio.sleep(0.05)
        lane.close()
        with pytest.raises(BusyError):
            await waiting
        release.set()
        assert await running is True

    asyncio.run(story())


def test_errors_of_the_work_come_out_of_the_lane() -> None:
    def fails() -> None:
        raise CatalogError("no")

    async def story() -> None:
        lane = Lane("t", 1)
        with pytest.raises(CatalogError):
            await lane.run(fails, 10)
        with pytest.raises(TimeoutError, match="its own"):
            await lane.run(_own_timeout, 10)
        lane.close()

    asyncio.run(story())


def _own_timeout() -> None:
    raise TimeoutError("its own")


# --- open benches ---


class Counted:
    """Stands for a bench: is open, once closed never used."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.closed = False
        self.cancelled = False

    def close(self) -> None:
        assert not self.closed
        self.closed = True

    def cancel(self) -> int:
        self.cancelled = True
        return 0


class BenchesMachine(RuleBasedStateMachine):
    """Any order of requests, removals and sweeps: nothing in use is closed, and nothing is left open for ever."""

    LIMIT = 2

    def __init__(self) -> None:
        super().__init__()
        self.files = dict.fromkeys("abcd", 0)
        self.original = benches_module._mark
        benches_module._mark = lambda place: ((self.files[place],),)
        self.made: list[Counted] = []
        self.held: list[tuple[str, int, Counted, contextlib.ExitStack]] = []
        self.open = OpenBenches(cast("Any", self._opened), self.LIMIT, idle=1e9)

    def _opened(self, place: str) -> Counted:
        if self.files[place] < 0:
            raise CatalogError("gone")
        self.made.append(Counted(place))
        return self.made[-1]

    @rule(place=st.sampled_from("abcd"))
    def ask(self, place: str) -> None:
        stack = contextlib.ExitStack()
        if self.files[place] < 0:
            with pytest.raises(CatalogError):
                stack.enter_context(self.open.using(place))
            return
        bench = cast("Counted", stack.enter_context(self.open.using(place)))
        assert bench.place == place
        for other, version, held, _ in self.held:
            if (other, version) == (place, self.files[place]):
                assert held is bench
        self.held.append((place, self.files[place], bench, stack))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))[3].close()

    @rule(place=st.sampled_from("abcd"))
    def replace(self, place: str) -> None:
        self.files[place] = abs(self.files[place]) + 1

    @rule(place=st.sampled_from("abcd"))
    def remove(self, place: str) -> None:
        self.files[place] = -abs(self.files[place]) - 1

    @rule()
    def sweep(self) -> None:
        self.open.sweep()
        held = [bench for *_, bench, _ in self.held]
        for bench in self.made:
            if not bench.closed and bench not in held:
                assert self.files[bench.place] > -1

    @invariant()
    def what_is_in_use_is_open_and_the_rest_is_few(self) -> None:
        held = [bench for *_, bench, _ in self.held]
        assert not any(bench.closed for bench in held)
        idle = [bench for bench in self.made if not bench.closed and bench not in held]
        assert len(idle) <= self.LIMIT

    def teardown(self) -> None:
        self.open.close()
        for *_, stack in self.held:
            stack.close()
        benches_module._mark = self.original
        assert all(bench.closed for bench in self.made)


TestBenches = BenchesMachine.TestCase
TestBenches.settings = settings(deadline=None, max_examples=30, stateful_step_count=25)


def test_two_requests_open_a_bench_once() -> None:
    begun, release, made = threading.Event(), threading.Event(), []

    def slow(place: str) -> Any:
        begun.set()
        assert release.wait(10)
        made.append(Counted(place))
        return made[-1]

    opened = OpenBenches(slow)
    found: list[object] = []

    def ask() -> None:
        with opened.using("https://example.org/x") as bench:
            found.append(bench)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    release.set()
    for thread in threads:
        thread.join(10)
    assert found == [made[0], made[0]]
    opened.close()
    assert made[0].closed
    with pytest.raises(CatalogError), opened.using("https://example.org/x"):
        pass


def test_an_idle_bench_is_closed_by_the_sweep() -> None:
    made: list[Counted] = []

    def opens(place: str) -> Any:
        made.append(Counted(place))
        return made[-1]

    opened = OpenBenches(opens, idle=-1.0)
    with opened.using("https://example.org/x"):
        opened.sweep()
        assert not made[0].closed
    opened.sweep()
    assert made[0].closed
    assert len(opened) == 0


# --- finding ---


def bench_at(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "luma.toml").write_text("format = 1\n")


def test_benches_are_found_but_not_in_hidden_or_linked_folders(tmp_path: Path) -> None:
    root = tmp_path / "root"
    bench_at(root / "b.luma")
    bench_at(root / "A" / "a.luma")
    bench_at(root / "b.luma" / "inner.luma")
    bench_at(root / ".hidden" / "h.luma")
    bench_at(root / "node_modules" / "n.luma")
    bench_at(tmp_path / "out" / "o.luma")
    (root / "link").symlink_to(tmp_path / "out")
    (root / "published" / "latest.json").mkdir(parents=True)
    (root / "p.luma" / "published").mkdir(parents=True)
    (root / "p.luma" / "published" / "latest.json").write_text("{}")
    found = find_benches(Places.of(str(root), []))
    assert [(item.name, item.published) for item in found.benches] == [
        ("A/a.luma", False), ("b.luma", False), ("p.luma", True),
    ]  # fmt: skip
    assert found.complete
    assert found.benches[0].path == str(root / "A" / "a.luma")


def test_the_walk_ends_at_its_limits_and_says_so(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"d{number:02}").mkdir()
    bench_at(tmp_path / "d29" / "late.luma")
    assert not find_benches(Places.of(str(tmp_path), []), folders=10).complete
    assert not find_benches(Places.of(str(tmp_path), []), seconds=-1.0).complete
    assert find_benches(Places.of(str(tmp_path), [])).benches


def test_paths_are_written_as_the_root_is(tmp_path: Path) -> None:
    bench_at(tmp_path / "real" / "x.luma")
    (tmp_path / "shown").symlink_to(tmp_path / "real")
    places = Places.of(str(tmp_path / "shown"), [])
    (found,) = find_benches(places).benches
    assert found.path == str(tmp_path / "shown" / "x.luma")
    assert places.located(found.path) == places.located("x.luma") == str(tmp_path / "real" / "x.luma")


def test_the_allow_list_takes_folders_benches_and_urls(tmp_path: Path) -> None:
    for name in ("root", "shared/a.luma", "one/b.luma"):
        bench_at(tmp_path / name)
    places = Places.of(
        str(tmp_path / "root"), [str(tmp_path / "shared"), "../one/b.luma", "https://example.org/bench/"]
    )
    assert places.located(str(tmp_path / "shared" / "a.luma"))
    assert places.located("../one/b.luma")
    assert places.located("https://example.org/bench") == "https://example.org/bench"
    names = [item.name for item in find_benches(places).benches]
    assert "https://example.org/bench" in names
    assert str(tmp_path / "one" / "b.luma") in names
