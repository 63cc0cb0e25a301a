"""Who may come in and what they may do: people, roles, tokens and the ways to sign in.

Roles grow: a viewer sees, a developer changes services, an operator also brakes and holds
secrets, an admin also manages people. Permissions are asked in the action a person called.
"""
