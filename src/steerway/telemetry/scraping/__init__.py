"""Scraping: metrics that programs show on a page, in the text format of Prometheus or OpenMetrics.

A target is one page of one replica or exporter. What always holds: a page that is too large, too
slow or malformed is refused whole, `up` says so, and other targets are read all the same; a series
that left its page, or whose target left, ends with a stale marker.

Started by: the collectors.
"""
