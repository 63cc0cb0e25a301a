"""Records and answers: the area of metrics, logs and traces."""
