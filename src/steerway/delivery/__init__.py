"""Changes what runs: from a commit to a release, from a release to traffic, and back."""
