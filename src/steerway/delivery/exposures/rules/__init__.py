"""Counts between two looks, the judgement of many exposures, and its words. Pure."""
