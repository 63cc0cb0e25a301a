"""Rolling up and dropping, step by step; each step may run twice."""
