"""Settings: read once, every problem at once."""

from pathlib import Path

import pytest

from steerway.platform.settings import Settings, SettingsInvalid, load


def test_nothing_set_runs_on_one_host() -> None:
    settings = load({})

    assert settings == Settings(home=Path("~/.steerway").expanduser().absolute())
    assert (settings.address, settings.port, settings.router_port) == ("127.0.0.1", 7300, 8080)
    assert settings.database_url == ""


def test_each_setting_has_its_type() -> None:
    settings = load(
        {
            "STEERWAY_HOME": "/srv/steerway",
            "STEERWAY_PORT": "7400",
            "STEERWAY_HOSTS": "a.example, b.example,",
            "STEERWAY_REPLICA_PORTS": "21000-21999",
            "STEERWAY_URL": "https://steerway.example/",
        }
    )

    assert settings.home == Path("/srv/steerway")
    assert settings.socket == Path("/srv/steerway/run/server.sock")
    assert settings.port == 7400
    assert settings.hosts == ("a.example", "b.example")
    assert settings.replica_ports == (21000, 21999)
    assert settings.public_url == "https://steerway.example"


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(
            {
                "STEERWAY_PORT": "http",
                "STEERWAY_ROUTER_PORT": "70000",
                "STEERWAY_REPLICA_PORTS": "30000-20000",
                "STEERWAY_PROT": "7300",
            }
        )

    assert str(caught.value).splitlines() == [
        "STEERWAY_PORT: a whole number from 1 to 65535 is expected, got 'http'",
        "STEERWAY_ROUTER_PORT: a whole number from 1 to 65535 is expected, got '70000'",
        "STEERWAY_REPLICA_PORTS: a range as 20000-29999 is expected, got '30000-20000'",
        "STEERWAY_PROT: there is no such setting; `steerway settings` lists them",
    ]


@pytest.mark.parametrize("text", ["", "0", "-1", "65536", "7300.0", "٧٣٠٠ "])
def test_a_port_is_a_port(text: str) -> None:
    with pytest.raises(SettingsInvalid, match="STEERWAY_PORT: a whole number"):
        load({"STEERWAY_PORT": text})


@pytest.mark.parametrize("text", ["20000", "20000-", "-20000", "a-b", "1-2-3"])
def test_a_range_has_two_ports(text: str) -> None:
    with pytest.raises(SettingsInvalid, match="STEERWAY_REPLICA_PORTS: "):
        load({"STEERWAY_REPLICA_PORTS": text})


def test_a_value_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://steerway:secret@db/steerway\n")

    settings = load({"STEERWAY_DATABASE_URL_FILE": str(file)})

    assert settings.database_url == "postgresql://steerway:secret@db/steerway"


def test_a_value_and_its_file_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="give either this or STEERWAY_PORT_FILE, not both"):
        load({"STEERWAY_PORT": "7300", "STEERWAY_PORT_FILE": str(tmp_path / "port")})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"STEERWAY_PORT: .*No such file .*port"):
        load({"STEERWAY_PORT_FILE": str(tmp_path / "port")})


@pytest.mark.parametrize("home", ["/srv/[prod]", "/srv/a;b", "/srv/*", "~nobody-of-this-name/x"])
def test_a_home_whose_path_would_be_misread_is_refused(home: str) -> None:
    with pytest.raises(SettingsInvalid, match="STEERWAY_HOME: "):
        load({"STEERWAY_HOME": home})


def test_people_who_sign_on_get_a_role_that_there_is() -> None:
    with pytest.raises(SettingsInvalid, match="STEERWAY_OIDC_ROLE: one of viewer, "):
        load({"STEERWAY_OIDC_ROLE": "boss"})


def test_what_services_and_terminals_are_given_is_no_mistake() -> None:
    given = ("SERVICE", "ENVIRONMENT", "RELEASE", "REPLICA", "DATA_DIR", "SERVER", "TOKEN")

    assert load({f"STEERWAY_{name}": "x" for name in given}) == load({})


def test_other_programs_variables_are_not_read() -> None:
    assert load({"PORT": "1", "HOME": "/nowhere", "STEERWAYPORT": "x"}).port == 7300


def test_a_clickhouse_address_is_no_host_name_and_is_not_shown() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load({"STEERWAY_CLICKHOUSE_URL": "steer:hunter2@clickhouse"})

    assert "https://" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_settings_that_do_not_fit_together_are_refused_at_once() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load({"STEERWAY_CLICKHOUSE_CLUSTER": "east", "STEERWAY_TELEMETRY_MEGABYTES": "64"})

    assert str(refused.value).splitlines() == [
        "STEERWAY_TELEMETRY_MEGABYTES: 128 or more is expected",
        "STEERWAY_CLICKHOUSE_CLUSTER: STEERWAY_CLICKHOUSE_URL is missing",
    ]
