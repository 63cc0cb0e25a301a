"""Keeps what runs as it should be: replicas, the router and supervisord come back.

Every second, what is recorded is compared with what runs. What is missing is started, what
came back by itself is reported, what keeps ending is reported once as a crash loop and once
when it is over. A paused service is watched and left alone. Deployments in flight are left
to their workflow. Started by: the server, for as long as it runs.
"""
