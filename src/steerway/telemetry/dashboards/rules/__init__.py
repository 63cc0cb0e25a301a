"""What a dashboard is made of: its panels as they are shown, and those of Grafana. Pure."""
