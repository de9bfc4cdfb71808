"""The commands of RFC 9051, section 6, in its order, and what RFC 3501 had beside them. No I/O."""
