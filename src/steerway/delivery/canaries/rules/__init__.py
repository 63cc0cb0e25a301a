"""One canary, pure: its plan, the judging of its seconds, the reasons in words, what is kept."""
