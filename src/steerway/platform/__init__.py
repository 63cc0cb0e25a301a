"""What Steerway itself stands on: settings, time, errors, the event log, identity, secrets."""
