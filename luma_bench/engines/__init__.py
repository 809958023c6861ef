"""Engines: what turns a fragment into Arrow.

`duck` runs SQL in this process over pinned scan sources, `duck_inspect` parses and binds without running, `duck_files`
reads and writes files, `router` chooses and says why. Nothing is imported here: an engine loads with its first use.
"""
