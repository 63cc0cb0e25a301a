"""Metrics, asked for in PromQL: by people, by alerts and verdicts, and by stock Prometheus clients.

A query is evaluated in two halves. The store computes range functions series by series, which is
where the samples are; labels, grouping, matching and everything between series are arrays here.
Always holds: no query runs longer than its limit, takes more memory than its share or goes on after
whoever asked has left. Where nothing was sampled there is no value, never a zero.

Started by: whoever asks.
"""
