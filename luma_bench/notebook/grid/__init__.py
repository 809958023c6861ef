"""A result as a live grid: pages, sorted and filtered views, summaries, charts and exports, over a comm or a widget.

`GridSession` answers the messages of one front end about one result; docs/design/grid-protocol.md has the messages.
`Shelf` keeps the results that cells show, and `GridWidget` is what `result.grid()` gives.
"""
