"""The notebook: `%luma`, `%kadeql` and `%%kadeql`, interrupts, errors without tracebacks, completion.

`%load_ext luma_bench` brings it into IPython; results are drawn by `luma_bench.bench.display`.
"""
