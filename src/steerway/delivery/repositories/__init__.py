"""Where the source of a service comes from: a git repository, by path or by URL.

A name that a person gives (a branch, a tag, the beginning of a commit id) becomes one commit,
and a commit becomes a clean tree of files. Always holds: only what is committed is built; no
hook, filter or personal git setting takes part; nothing asks for a password; nothing in a
repository's name or reference can be read as an option; no file lands outside the tree.
Started by deployments.
"""
