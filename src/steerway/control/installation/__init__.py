"""This installation itself: its settings in force, its versions, and how its parts are."""
