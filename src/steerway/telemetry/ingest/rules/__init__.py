"""How telemetry is decoded, named, limited and laid out in columns. Pure."""
