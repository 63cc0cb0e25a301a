import pytest

from steerway.delivery.runtimes.adapters import exec_shim
from steerway.delivery.runtimes.adapters.exec_shim import State

STATE = State(
    boot="b",
    pid=1,
    phase="running",
    exits=4,
    crashes=2,
    last_exit="exit status 1",
    problem="",
    resumes_at=0.0,
    oom_kills=0,
)


@pytest.mark.parametrize(
    ("crashes", "seconds"), [(0, 0), (1, 0.5), (2, 1), (3, 2), (6, 16), (7, 30), (5000, 30)]
)
def test_the_pause_doubles_up_to_half_a_minute(crashes: int, seconds: float) -> None:
    assert exec_shim.delay(crashes) == seconds


@pytest.mark.parametrize(("lived", "crashes"), [(0, 3), (59.9, 3), (60, 0), (1e6, 0)])
def test_a_minute_of_life_forgives_earlier_crashes(lived: float, crashes: int) -> None:
    after = exec_shim.after_exit(STATE, lived, "exit status 9")

    assert (after["crashes"], after["exits"]) == (crashes, 5)
    assert after["last_exit"] == "exit status 9"


@pytest.mark.parametrize(("now", "seconds"), [(96.0, 4.0), (101.0, 0.0), (-86_000.0, 30.0)])
def test_a_clock_that_is_set_back_makes_no_pause_longer(now: float, seconds: float) -> None:
    assert exec_shim.remaining({**STATE, "resumes_at": 100.0}, now) == seconds


def test_a_known_problem_explains_an_end_better_than_its_status() -> None:
    state: State = {**STATE, "problem": "cannot start shop: no such file"}

    after = exec_shim.after_exit(state, 0, "exit status 127")

    assert (after["last_exit"], after["problem"]) == ("cannot start shop: no such file", "")


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("", ""),
        ("2026 WARN exited: shop.a.0 (exit status 3; not expected)\n", "exit status 3"),
        ("2026 INFO exited: shop.a.0 (exit status 0; expected)\n", "exit status 0"),
        ("2026 WARN exited: shop.a.0 (terminated by SIGKILL (core dumped); not expected)\n",
         "terminated by SIGKILL (core dumped)"),
        ("exited: shop.a.0 (exit status 1; expected)\nexited: shop.a.0 (exit status 2; expected)\n",
         "exit status 2"),
        ("2026 WARN exited: shopXa.0 (exit status 3; not expected)\n", ""),
        ("2026 WARN exited: shop.a.01 (exit status 3; not expected)\n", ""),
    ],
)  # fmt: skip
def test_the_last_end_is_read_from_the_log_of_supervisord(log: str, said: str) -> None:
    assert exec_shim.last_exit(log, "shop.a.0") == said
