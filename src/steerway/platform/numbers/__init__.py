"""Numbers people say aloud: CHG-12, DEP-7. A series counts up without gaps."""
