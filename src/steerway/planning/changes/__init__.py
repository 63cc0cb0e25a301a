"""Changes: every alteration of what runs, who made it and why, driven by the work itself.

A change is opened by the action that alters something and closed by its outcome:
open, then implemented, failed or cancelled. A hold keeps changes of a service (or of all)
from starting; a freeze is a hold on everything. Rollbacks pass holds: they restore.
Started by: applying a descriptor, deploying, rolling back.
"""
