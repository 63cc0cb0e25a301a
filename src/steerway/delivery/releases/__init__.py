"""A release: the built files of one state of a service, never changed after.

Its digest names its content: equal files have equal digests, wherever they were built.
States: present, then removed when newer ones take its place. Always holds: a directory under
`home/releases` is complete or not there; its files are read-only; nothing of a machine, a moment
or a secret is in it; a release that runs or can be rolled back to is not removed.
Made by builds; removed by deployments, which know what runs.
"""
