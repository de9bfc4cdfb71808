"""The verbs, one module each: `add_arguments(parser)` describes one, `run(args, console)` does it.

A module is loaded when its verb is chosen; what `imaplus --help` says of it stands in `cli.main`.

`run` returns the exit code, or raises; what an error means to the user stands in `cli.errors`.
"""
