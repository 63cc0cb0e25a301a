"""supervisord, the shim it starts programs with, and the kernel's view of what runs."""
