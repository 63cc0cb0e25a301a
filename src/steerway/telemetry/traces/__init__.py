"""What requests did on their way: traces, the map of services, and numbers made of spans.

A trace is found by any of its spans and shown as a waterfall; what is missing in it is said to be
missing. Spans are counted into metrics window by window, each window once. Started by the server.
"""
