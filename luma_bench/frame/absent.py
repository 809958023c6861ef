"""What to write instead of a pandas method that frames do not have, a sentence each.

`docs/reference/pandas-methods.md` is made of these. A key is `Kind.name`, `GroupBy.name` for both kinds of groups, or `name`
for every kind. What has no sentence is in pandas alone, behind `.to_pandas()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_NO_INDEX = "There is no index: "
_OPTIONS = "pandas' display options have no effect here; `lb.open(path, …)` takes a bench's settings."

INSTEAD: Final[Mapping[str, str]] = {
    # The index and its levels
    "DataFrame.index": _NO_INDEX + "keep the values in a column; `frame.columns` has the names.",
    "Series.index": _NO_INDEX + "keep the values in a column of the frame.",
    "set_index": _NO_INDEX
    + "select by the column, `frame[frame.key == value]`, and merge or group `on=` it.",
    "reindex": _NO_INDEX + "merge with a frame of the keys, `keys.merge(frame, on=…, how='left')`.",
    "reindex_like": _NO_INDEX + "merge with the other frame's keys.",
    "set_axis": _NO_INDEX + "name columns with `rename(columns=…)`.",
    "rename_axis": _NO_INDEX + "name columns with `rename(columns=…)`.",
    "droplevel": _NO_INDEX + "leave columns out with `drop(columns=…)`.",
    "swaplevel": _NO_INDEX + "order columns with `frame[[…]]`.",
    "reorder_levels": _NO_INDEX + "order columns with `frame[[…]]`.",
    "xs": _NO_INDEX + "`frame[frame.key == value]`.",
    "align": _NO_INDEX + "merge the frames by a key.",
    "asof": "`lb.merge_asof(times, frame, on=…)`.",
    "at_time": "`frame[frame.t.dt.time == time]`.",
    "between_time": "Filter on `frame.t.dt.time.between(start, end)`.",
    "first_valid_index": _NO_INDEX + "`frame[series.notna()].head(1)`.",
    "last_valid_index": _NO_INDEX + "`frame[series.notna()].tail(1)`.",
    "Series.searchsorted": "Rows have no positions: count what is below, `(series < value).sum()`.",
    "GroupBy.level": _NO_INDEX + "group by columns.",
    "GroupBy.groups": "Rows have no labels: `frame.groupby(…).size()` has the keys.",
    "GroupBy.indices": "Rows have no positions: `frame.groupby(…).size()` has the keys.",
    "Resampler.groups": "Rows have no labels: `.size()` has the times.",
    "Resampler.indices": "Rows have no positions: `.size()` has the times.",
    "Resampler.level": _NO_INDEX + "resample `on=` a column.",
    # Changing in place
    "isetitem": "Nothing changes in place: `frame = frame.assign(name=…)`.",
    "update": "Nothing changes in place: merge the other frame and take `b.fillna(a)`.",
    "attrs": "A frame carries no notes of its own; `frame.schema` has the columns' metadata.",
    "flags": "A frame has no flags.",
    "set_flags": "A frame has no flags.",
    # Memory layouts and objects
    "array": "`series.to_arrow()`, or `series.to_numpy()`.",
    "pandas.array": "`pyarrow.array(values)`; frames take Arrow data as it is.",
    "Series.cat": "Categories are text here; the stored dictionary is in `frame.to_arrow()`.",
    "sparse": "Columns are stored compressed and never sparse.",
    "style": "`frame.to_pandas().style`, after `head(n)`.",
    # Places and labels
    "at": _NO_INDEX + "`frame.iat[row, column]`, or `frame[frame.key == value]`.",
    "idxmax": _NO_INDEX
    + "`frame.sort_values('x').tail(1)` has the row of the greatest value, `series.argmax()` its place.",
    "idxmin": _NO_INDEX
    + "`frame.sort_values('x').head(1)` has the row of the least value, `series.argmin()` its place.",
    "pop": "Nothing changes in place: `frame['x']`, then `frame.drop(columns='x')`.",
    "stack": _NO_INDEX + "`frame.melt(id_vars)` makes rows of columns.",
    "unstack": _NO_INDEX + "`frame.pivot(columns=…, index=…)` makes columns of rows.",
    "sort_index": _NO_INDEX + "`frame.sort_values(key)`.",
    # Row by row
    "compare": "Merge the frames by a key and keep `a != b`.",
    "Rolling.apply": "The named functions run in the engine; `map_batches` for Python.",
    "Expanding.apply": "The named functions run in the engine; `map_batches` for Python.",
    "Rolling.rank": "`series.rank()` for all rows; in windows, `map_batches` on the sorted frame.",
    "Expanding.rank": "`series.rank()` for all rows; in windows, `map_batches` on the sorted frame.",
    "ExponentialMovingWindow.corr": "`map_batches` on the sorted frame.",
    "ExponentialMovingWindow.cov": "`map_batches` on the sorted frame.",
    "Resampler.interpolate": "`resample(…).asfreq().interpolate()`: lines between the labels' rows.",
    "Resampler.nearest": "`lb.merge_asof(labels, frame, on=…, direction='nearest')`.",
    "Resampler.transform": "`groupby(frame.t.dt.floor('h')).transform(…)`.",
    "Resampler.apply": "`agg(…)` with named functions.",
    "ExponentialMovingWindow.online": "A frame has all its rows: compute over the whole table.",
    # Files and systems
    "to_clipboard": "`frame.head(1000).to_pandas().to_clipboard()`.",
    "to_hdf": "`bench.write(name, frame)` keeps it, `frame.to_parquet(path)` hands it on.",
    "to_orc": "`frame.to_parquet(path)`.",
    "to_iceberg": "`bench.write(name, frame)` keeps it with its history.",
    "to_stata": "`frame.to_pandas().to_stata(path)`.",
    "to_latex": "`frame.to_pandas().to_latex()`.",
    "to_xarray": "`frame.to_pandas().set_index(keys).to_xarray()`.",
    "to_xml": "`frame.to_pandas().to_xml(path)`.",
    "read_clipboard": "`lb.from_pandas(pandas.read_clipboard())`.",
    "read_fwf": "`lb.from_pandas(pandas.read_fwf(path))`.",
    "read_hdf": "`lb.from_pandas(pandas.read_hdf(path))`.",
    "read_html": "`lb.from_pandas(pandas.read_html(page)[0])`.",
    "read_iceberg": "`lb.from_pandas(pandas.read_iceberg(…))`.",
    "read_orc": "`lb.from_arrow(pyarrow.orc.read_table(path))`.",
    "read_pickle": "`lb.from_pandas(pandas.read_pickle(path))`; a pickle runs code, so only of your own files.",
    "read_sas": "`lb.from_pandas(pandas.read_sas(path))`.",
    "read_spss": "`lb.from_pandas(pandas.read_spss(path))`.",
    "read_stata": "`lb.from_pandas(pandas.read_stata(path))`.",
    "read_xml": "`lb.from_pandas(pandas.read_xml(path))`.",
    "pandas.to_pickle": "`bench.write(name, frame)` keeps a frame.",
    # The pandas module
    "pandas.col": "`lambda frame: frame.name` in `assign`, or the Series itself.",
    "pandas.eval": "`frame.query(text)`, or `bench.kadeql(text)`.",
    "get_option": _OPTIONS,
    "set_option": _OPTIONS,
    "reset_option": _OPTIONS,
    "describe_option": _OPTIONS,
    "option_context": _OPTIONS,
    "set_eng_float_format": _OPTIONS,
    "show_versions": "`lb.__version__`.",
    "pandas.test": "pandas tests itself.",
    "infer_freq": "Times are a column: look at `series.diff().value_counts()`.",
    "interval_range": "Ranges of values are not a type here: keep both ends in columns.",
    "period_range": "Periods are not a type here: keep the first day, or the year and the month.",
    "bdate_range": "`lb.from_pandas(pandas.bdate_range(…).to_frame(name='day'))`.",
    "timedelta_range": "`lb.from_pandas(pandas.timedelta_range(…).to_frame(name='span'))`.",
    # Text
    "Series.str.decode": "Text is Unicode; bytes are decoded with `map_batches`.",
    "Series.str.translate": "`str.replace(a, b)` for each character, or `map_batches`.",
    "Series.str.wrap": "`map_batches`: lines are for showing, not for asking.",
    # Times
    "to_period": "Periods are not a type here: `series.dt.year`, `series.dt.month`, or the period's first day.",
    "to_timestamp": "Periods are not a type here: times are times already.",
    "Series.dt.asfreq": "Periods are not a type here.",
    "Series.dt.qyear": "Periods are not a type here: `series.dt.year`.",
    "Series.dt.start_time": "Periods are not a type here.",
    "Series.dt.end_time": "Periods are not a type here.",
    "Series.dt.freq": "Times are a column and have no frequency; look at `series.diff().value_counts()`.",
    "Series.dt.to_pydatetime": "`series.to_list()`.",
    "Series.dt.to_pytimedelta": "`series.to_list()`.",
    "Series.dt.unit": "`series.dtype`.",
    "Series.dt.tz": "`series.dtype`.",
    "Series.dt.week": "`series.dt.isocalendar()`, or `week(…)` in KadeQL.",
    "Series.dt.weekofyear": "`series.dt.isocalendar()`, or `week(…)` in KadeQL.",
}


def note(notes: Mapping[str, str], kind: str, name: str) -> str | None:
    """The sentence on a method: on this kind's, else, for both kinds of groups, on groups', else on all of that name."""
    places = (f"{kind}.{name}", *((f"GroupBy.{name}",) if kind.endswith("GroupBy") else ()), name)
    return next((notes[place] for place in places if place in notes), None)
