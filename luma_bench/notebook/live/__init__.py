"""What a live notebook is told while it works: the bench that is open, progress of what runs, and how to stop it.

The front end opens the comm `luma-bench`; `Live` answers it.
"""
