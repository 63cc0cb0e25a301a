"""Outside systems of ingest: its journal on disk."""
