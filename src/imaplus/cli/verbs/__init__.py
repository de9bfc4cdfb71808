"""The verbs, one module each: `add_arguments(parser)` describes one, `run(args, console)` does it.

`run` returns the exit code, or raises; what an error means to the user stands in `cli.errors`.
"""
