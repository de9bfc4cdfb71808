"""The command `imaplus`: arguments in, exit code out.

It knows users, terminals and exit codes, and uses the public API of imaplus like any other
program; it knows no IMAP.
"""
