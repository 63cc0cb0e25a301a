"""The router: the only thing in front of services.

One Envoy serves every service of the machine, a virtual host for each service and environment.
Its files are rendered from a `Table`, renamed into place and acknowledged; they are never edited,
and Envoy serves the last ones when the server is away. A version gets traffic only after its
replicas passed Envoy's own health checks, and loses it before they are stopped.

Started by supervisord, fed by the deployment workflow and by reconciliation.
"""
