"""Deployments: one release made to serve one service in one environment, or taken back.

A deployment runs through its steps (preflight, build, install, configure, start, verify,
switch, drain, retire) as one durable workflow and ends once: succeeded, failed or cancelled.
At most one is running per service and environment; the database holds that. Until the
switch, nothing that users see has changed, and a failure or a cancel undoes what was started.
A rollback is a deployment of the last good release with the configuration it had.
Started by: a person or a pipeline, through `start` and `rollback`.
"""
