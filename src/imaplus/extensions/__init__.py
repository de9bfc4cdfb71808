"""Extensions of IMAP, one RFC a file: values, parsers, commands, parameters, errors. No I/O."""
