"""Reading mail, without I/O: parts, texts, names of attachments, replies."""
