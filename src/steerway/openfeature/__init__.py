"""What a Python service imports to ask for its flags: an OpenFeature provider.

It needs `openfeature-sdk` and `mmh3` and nothing else of Steerway, and goes on when Steerway is
away.
"""
