"""The looks: how each collector looks, and the threads that have them look on time."""
