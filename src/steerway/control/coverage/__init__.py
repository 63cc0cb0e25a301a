"""Coverage of the services there are: what should be seen of each, beside what is.

Telemetry knows what was seen and when; the catalog and the replicas know what should be. Every
turn of a cell is recorded by the server, which looks every few seconds; nothing is computed ahead
for people, so a page is never greener than the moment it is read at.
"""
