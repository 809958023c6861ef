"""Time series in a text: windows, SAMPLE BY, LATEST ON, as-of and window joins, series functions."""
