"""The verbs, one module each, with `add_arguments(parser)` and `run(args, console)`.

A module is imported when its verb is used; the texts of `imaplus --help` are in `cli.main`. `run`
returns the exit code, or raises an error, which `cli.explain` explains.
"""
