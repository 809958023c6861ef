"""The command line, `luma-bench`: questions, files in and out, snapshots, checks.

`main.main` is the program; every command opens a bench, asks it one thing and closes it.
"""
