"""Time series in a bench: the relations of windows, samples, as-of joins and series functions, and `bench.series`."""
