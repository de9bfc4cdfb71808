"""I/O: running flows over a stream. No grammar. The sync client is generated from the async one."""
