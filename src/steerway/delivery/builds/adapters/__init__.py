"""What makes files out of files: uv, npm and commands, each run under limits."""
