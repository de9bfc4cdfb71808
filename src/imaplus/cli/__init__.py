"""The command `imaplus`. It uses the public API of imaplus, as any other program."""
