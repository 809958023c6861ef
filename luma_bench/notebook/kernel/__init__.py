"""The KadeQL kernel: notebooks whose bare cells are KadeQL, over IPython's kernel.

`cells` reads a cell, `kernel` runs it, `editing` completes and explains it, `papermill` writes parameters into notebooks.
"""
