"""Where flags leave Steerway."""
