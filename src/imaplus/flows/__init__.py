"""Policy that takes several commands: what to do with what a server has, and without it. No I/O."""
