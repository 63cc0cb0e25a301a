"""Pure: `words` has states and events, `comparing` makes a second's counts of counters."""
