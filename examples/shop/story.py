"""Shows Steerway at work on the shop, through its command line, as a user would.

python story.py up       start, deploy the shop with live visitors, print where to look
python story.py demo     play the story on an installation of its own, and remove it
"""

import json
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
STEERWAY = [sys.executable, "-m", "steerway.app"]
OUTPUT = HERE.parents[1] / "var" / "demo"
ANSWER_SECONDS = 30
VISITORS = 100  # a second
FAILED_PERCENT_MAX = 2  # of the visitors who come while a bad version is found out
# A story has less patience than a shop: two steps, and seconds instead of minutes.
CANARY = (
    "{steps: [20, 50], shortest: 2s, longest: 10s, bake: 3s, warm_up: 0s, watch: [errors, latency]}"
)
# A proxy that leads outside is not asked for this machine's own addresses.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Failed(Exception):
    """A step of the story did not end as it should."""


class Stage:
    """One installation, spoken to by its command line."""

    def __init__(self, home: Path | None = None) -> None:
        """Use the user's own installation, or one of its own in `home` on free ports."""
        self.environment = dict(os.environ)
        if home is not None:
            port, router = free_ports(2)
            # Below the ports that the kernel gives to outgoing connections.
            first = 20_000 + secrets.randbelow(40) * 250
            self.environment |= {
                "STEERWAY_HOME": str(home),
                "STEERWAY_PORT": str(port),
                "STEERWAY_ROUTER_PORT": str(router),
                "STEERWAY_REPLICA_PORTS": f"{first}-{first + 200}",
                # The story has less patience than the two minutes of every other installation.
                "STEERWAY_SILENCE_SECONDS": "12",
            }
        settings = json.loads(self.run("settings", "--json"))
        self.home = Path(settings["STEERWAY_HOME"])
        self.port = int(settings["STEERWAY_PORT"])
        self.router_port = int(settings["STEERWAY_ROUTER_PORT"])
        self.shop_url = f"http://shop.localhost:{self.router_port}"

    def run(self, *words: str, says: str = "", fails: bool = False) -> str:
        """What the command prints; its exit code must be as expected."""
        done = subprocess.run(
            [*STEERWAY, *words],
            env=self.environment,
            input=says,
            capture_output=True,
            text=True,
            check=False,
        )
        if (done.returncode != 0) is not fails:
            raise Failed(f"steerway {' '.join(words)} left with {done.returncode}:\n{done.stderr}")
        return done.stdout + (done.stderr if fails else "")

    def show(self, *words: str, fails: bool = False) -> None:
        """Run a command in sight of the reader."""
        print(f"\n  $ steerway {shlex.join(words)}", flush=True)
        done = subprocess.run([*STEERWAY, *words], env=self.environment, check=False)
        if (done.returncode != 0) is not fails:
            raise Failed(f"steerway {' '.join(words)} left with {done.returncode}")

    def answers(self) -> bool:
        """Whether the server answers."""
        done = subprocess.run(
            [*STEERWAY, "status"], env=self.environment, capture_output=True, check=False
        )
        return done.returncode == 0

    def shop_version(self) -> str:
        """The version that answers through the router, or why none does."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.router_port}/version",
            headers={"Host": f"shop.localhost:{self.router_port}"},
        )
        try:
            with DIRECT.open(request, timeout=5) as answer:
                return str(answer.headers["x-shop-version"])
        except (OSError, urllib.error.URLError) as error:
            return f"none ({error})"

    def repository(self) -> Path:
        """The shop's git repository, built beside the checkout's other products."""
        target = self.home / "examples" / "shop"
        build = [sys.executable, str(HERE / "repository.py"), "build", str(target)]
        subprocess.run(build, check=True, capture_output=True)
        return target


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now."""
    doors = [socket.socket() for _ in range(count)]
    for door in doors:
        door.bind(("127.0.0.1", 0))
    ports = [door.getsockname()[1] for door in doors]
    for door in doors:
        door.close()
    return ports


def declare(stage: Stage, *, visitors: bool = False) -> None:
    """Give the shop its secret, and apply its descriptor; that of its visitors when they come."""
    shop = stage.repository()
    names = json.loads(stage.run("secret", "list", "--service", "shop", "--json"))
    if not any(one["name"] == "payment-key" for one in names):
        key = secrets.token_urlsafe(24)
        stage.run("secret", "set", "payment-key", "--service", "shop", says=key)
    stage.run("apply", "--file", str(shop / "steerway.yaml"))
    if visitors:
        text = (shop / "visitors" / "steerway.yaml").read_text()
        text = text.replace(":8080", f":{stage.router_port}")
        text = text.replace("repository: .", f"repository: {shop / 'visitors'}")
        copy = stage.home / "examples" / "visitors.yaml"
        copy.write_text(text)
        stage.run("apply", "--file", str(copy))


def serving(stage: Stage, service: str) -> list[dict[str, Any]]:
    """Deployments of a service that succeeded."""
    found = json.loads(stage.run("deployments", "--service", service, "--json"))
    return [one for one in found if one["state"] == "succeeded"]


def up() -> None:
    """Start everything and say where to look. A second time, it finds all in place."""
    stage = Stage()
    stage.show("up")
    declare(stage, visitors=True)
    if not serving(stage, "shop"):
        stage.show("deploy", "shop", "--ref", "v1", "--why", "the first version")
    if not serving(stage, "shop-visitors"):
        stage.show("deploy", "shop-visitors", "--why", "something to see")
    until = time.monotonic() + ANSWER_SECONDS
    while (version := stage.shop_version()).startswith("none"):
        if time.monotonic() > until:
            raise Failed(f"The shop does not answer: {version}")
        time.sleep(0.1)
    link = stage.run("user", "link").strip()
    print(
        f"\n  Steerway   {link}\n"
        "             signs you in once, within 15 minutes\n"
        f"  Shop       {stage.shop_url}  ({version})\n\n"
        "  Next: .venv/bin/steerway status\n"
        "        .venv/bin/steerway deploy shop --ref v2\n"
        "        .venv/bin/steerway rollback shop\n"
        "        make down"
    )


def demo() -> None:
    """The whole story, on an installation of its own that is removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="swdemo"))
    stage = Stage(home)
    try:
        tell("A team of one installs Steerway on an empty machine.")
        stage.show("up")
        declare(stage)
        tell("The first version goes live. Visitors come, 100 a second, until the end.")
        stage.show("deploy", "shop", "--ref", "v1", "--why", "opening day")
        say_goodbye([earn_it(stage), be_found_out(stage), carry_on(stage)])
    finally:
        stage.run("down")
        remove(home)


def earn_it(stage: Stage) -> dict[str, Any]:
    """A good version gets the traffic as it earns it; what visitors saw."""
    with visitors(stage, crowd=1) as seen:
        tell("From now on a new version earns its traffic. The plan says exactly what differs.")
        turn_to_canary(stage)
        tell("v2 adds gifts and a column. It is compared with v1 every second, step by step.")
        stage.show("deploy", "shop", "--ref", "v2", "--why", "gift cards")
        tell(told(stage))
    refuse_failures(seen)
    return seen


def be_found_out(stage: Stage) -> dict[str, Any]:
    """A bad version is taken back, twice, and not tried a third time; what visitors saw."""
    with visitors(stage, crowd=2) as seen:
        tell("v3-bad fails each fifth checkout. It is found out by what fails, and taken back.")
        stage.show("deploy", "shop", "--ref", "v3-bad", fails=True)
        keep_picture(stage)
        tell("Whoever thinks that it was bad luck may try once more. Then Steerway refuses.")
        stage.show("deploy", "shop", "--ref", "v3-bad", fails=True)
        stage.show("deploy", "shop", "--ref", "v3-bad", fails=True)
    reads = sum(one["failed"] for name, one in seen["routes"].items() if name.startswith("GET"))
    percent = 100 * seen["failed"] / seen["requests"]
    tell(f"Of {seen['requests']} requests in that time {seen['failed']} failed ({percent:.2f} %):")
    tell(f"checkouts, which nobody may send twice. Of those that only read, {reads}.", more=True)
    if reads or percent > FAILED_PERCENT_MAX:
        raise Failed("More failed than a bad version may cost.")
    return seen


def carry_on(stage: Stage) -> dict[str, Any]:
    """What else goes wrong where software runs; what visitors saw of it."""
    with visitors(stage, crowd=3) as seen:
        tell("A version that cannot serve gets no visitor: it fails, v2 serves on.")
        stage.show("deploy", "shop", "--ref", "v2-sick", fails=True)
        tell("A version that does not build changes nothing at all.")
        stage.show("deploy", "shop", "--ref", "v2-broken-build", fails=True)
        tell("It is Friday: changes are frozen. A rollback restores, so it may pass.")
        stage.show("freeze", "--reason", "weekend")
        stage.show("deploy", "shop", "--ref", "v1", fails=True)
        stage.show("rollback", "shop", "--why", "back to how it was on Thursday")
        stage.show("thaw")
        tell("The server is killed in the middle of a deployment. Supervision brings it back,")
        tell("and the deployment goes on where it was.", more=True)
        kill_in_the_middle(stage)
        tell("A replica is killed. It comes back, and the log says so.")
        kill_a_replica(stage)
        tell("What the router saw of each version: requests, errors, and nine of ten answers.")
        show_signals(stage)
        tell("Which layers are seen. A collector is paused: what is silent does not stay green.")
        silence_the_host(stage)
        tell("What happened, from one log that proves its own integrity.")
        stage.show("status")
        stage.show("timeline", "shop", "--rows", "18")
        stage.show("log", "verify")
    refuse_failures(seen)
    return seen


def remove(home: Path) -> None:
    """Delete a home. The folders of releases are read-only, which binds all but root."""
    for folder, _, _ in os.walk(home):
        os.chmod(folder, 0o700)  # noqa: PTH101 -- a name as os.walk gives it
    shutil.rmtree(home)


def tell(sentence: str, *, more: bool = False) -> None:
    """A sentence of the narrative."""
    print(f"{'' if more else chr(10)}  {sentence}", flush=True)


@contextmanager
def visitors(stage: Stage, *, crowd: int) -> Iterator[dict[str, Any]]:
    """Requests through the router meanwhile; each crowd has carts of its own.

    What is given is filled at the end with what they saw.
    """
    report = stage.home / f"visitors-{crowd}.json"
    command = [
        *(sys.executable, str(HERE / "loadgen.py"), "--rate", str(VISITORS)),
        *("--seed", str(crowd), "--url", stage.shop_url, "--report", str(report)),
    ]
    seen: dict[str, Any] = {}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield seen
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=ANSWER_SECONDS)
    seen |= json.loads(report.read_text())


def refuse_failures(seen: dict[str, Any]) -> None:
    """Nobody may have seen a failure."""
    if seen["failed"]:
        raise Failed(f"{seen['failed']} of {seen['requests']} requests failed.")


def say_goodbye(seen: list[dict[str, Any]]) -> None:
    """The whole story in numbers."""
    requests, failed = (sum(one[name] for one in seen) for name in ("requests", "failed"))
    tell(f"The visitors: {requests} requests, {failed} failed, all of them on v3-bad.")
    print(f"  The evidence against it: {OUTPUT / 'v3-bad.svg'}")


def turn_to_canary(stage: Stage) -> None:
    """Change one line of the descriptor, look at the plan, apply it."""
    file = stage.repository() / "steerway.yaml"
    copy = stage.home / "steerway.yaml"
    asked = f"strategy: canary\n  canary: {CANARY}"
    text = file.read_text().replace("strategy: blue-green", asked)
    copy.write_text(text.replace("repository: .", f"repository: {file.parent}"))
    stage.show("plan", "--file", str(copy))
    stage.run("apply", "--file", str(copy))


def newest(stage: Stage) -> str:
    """The deployment that was asked for last."""
    found = json.loads(stage.run("deployments", "--service", "shop", "--rows", "1", "--json"))
    return str(found[0]["ref"])


def told(stage: Stage) -> str:
    """The evidence of the newest canary in one line."""
    found = json.loads(stage.run("canary", "show", newest(stage), "--json"))
    return " ".join(found["reasons"][:2])


def keep_picture(stage: Stage) -> None:
    """Draw the evidence of the newest canary to where it outlives the demo."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    stage.show("canary", "show", newest(stage), "--picture", str(OUTPUT / "v3-bad.svg"))


def kill_in_the_middle(stage: Stage) -> None:
    """Start a deployment, kill the server while it runs, follow the deployment to its end."""
    ref = stage.run("deploy", "shop", "--ref", "v2", "--force", "--no-wait").strip()
    server = json.loads((stage.home / "run" / "pids" / "server.json").read_text())["pid"]
    print(f"\n  $ kill -9 {server}    # the server, while {ref} runs")
    os.kill(server, signal.SIGKILL)
    wait_for(stage.answers, "the server to come back")
    stage.show("watch", ref)


def kill_a_replica(stage: Stage) -> None:
    """Kill one process of the shop and wait until the log says that it is back."""
    found = json.loads(stage.run("status", "shop", "--json"))
    replica = found["services"][0]["environments"][-1]["replicas"][0]["name"]
    pid = json.loads((stage.home / "run" / "pids" / f"{replica}.json").read_text())["pid"]
    print(f"\n  $ kill -9 {pid}    # {replica}")
    os.kill(pid, signal.SIGKILL)
    wait_for(
        lambda: replica in stage.run("log", "show", "--type", "replica.respawned"),
        "the replica to come back",
    )


def show_signals(stage: Stage) -> None:
    """Requests, errors and latency of the shop by version, as anybody would ask for them."""
    shop = 'service="shop",environment="production"'
    requests, latency = "router_requests_total", "router_request_duration_seconds_bucket"
    stage.show("query", f"sum by (version) (increase({requests}{{{shop}}}[10m]))")
    # A version without an error has no series of errors: it counts as zero, not as absent.
    failed = f'increase({requests}{{{shop},code=~"5..|0"}}[10m])'
    none = f"0 * increase({requests}{{{shop}}}[10m])"
    stage.show("query", f"sum by (version) ({failed} or {none})")
    stage.show(
        "query",
        f"histogram_quantile(0.9, sum by (version, le) (increase({latency}{{{shop}}}[10m])))",
    )


def silence_the_host(stage: Stage) -> None:
    """Pause the collector of the host, and look at the coverage until its cell is stale."""

    def is_stale() -> bool:
        grids = json.loads(stage.run("coverage", "shop", "--json"))
        cells = [cell for cell in grids[-1]["cells"] if cell["layer"] == "host"]
        return any(cell["state"] == "stale" for cell in cells)

    stage.show("telemetry", "pause", "host", "--reason", "to see what happens")
    wait_for(is_stale, "the cell of the host to turn stale")
    stage.show("coverage", "shop")
    stage.show("telemetry", "resume", "host")


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Return when the condition holds; it is the story's patience that is bounded."""
    until = time.monotonic() + ANSWER_SECONDS
    while not condition():
        if time.monotonic() > until:
            raise Failed(f"Waited {ANSWER_SECONDS} s for {what}.")
        time.sleep(0.1)


if __name__ == "__main__":
    try:
        {"up": up, "demo": demo}[sys.argv[1]]()
    except Failed as failure:
        sys.exit(str(failure))
