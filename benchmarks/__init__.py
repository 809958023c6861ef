"""Luma Bench and its peers, timed side by side: `python -m benchmarks.run`.

`harness` runs contenders interleaved and checks that their answers agree first, `environment` says on what machine
and with which versions, `report` prints and writes; each other module is one suite.
"""
