"""Exposures: a variant that some users have is compared with the one that the others have.

How requests ended, by variant, is what replicas count. An exposure has one budget of false alarms
from its first users to its last; what is worse within it is turned off by Steerway's own hand. One
that nobody counted is not judged, and that is said.
Started by: a flag whose variant reaches some users and not all, until it reaches none or all.
"""
