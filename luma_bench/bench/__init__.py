"""The bench: the only wiring point. It joins store, language, engines and frames, and every front end enters here.

`bench.open` gives a `Bench`; `bench.kadeql` gives a `Result` that carries its `RunRecord`.
"""
