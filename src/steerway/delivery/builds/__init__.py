"""A build: one commit's files made ready to run, in a directory and environment of its own.

States: queued, running, then succeeded, failed or cancelled; a succeeded build whose release was
removed is expired. Always holds: the same input is not built twice, and two who ask at once get
one result; the environment is clean, so equal inputs give equal files; a build that ends in any
way, or whose server is killed, leaves neither files nor programs behind; time, output, log and
disk have limits. Started by deployments.

Python: the locked dependencies (uv.lock, pylock.toml, requirements.txt, else what pyproject.toml
names) are installed into `.venv`; a service without dependencies needs no network. The project
itself runs from its source and is not installed. Node: `npm ci`, `npm run build` if there is one,
then development packages are removed. Install scripts of packages do not run: they are the way in
of most supply-chain attacks, and they make builds differ. Who needs them sets
`build.environment: {npm_config_ignore_scripts: "false"}`. Command: as given, by `sh`, in a copy
of the files.
"""
