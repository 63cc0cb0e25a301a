"""Keeps what runs right: compares what should be with what is, and says what it did."""
