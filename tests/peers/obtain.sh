#!/bin/sh
# The peers of tests and benchmarks, from Debian's packages, unpacked and not installed:
#   var/peers/usr/bin/{prometheus,promtool,victoria-metrics}
# Harmless to run again. Without apt, or without a network, it says so and ends well.
set -eu
cd "$(dirname "$0")/../.."
peers=var/peers
mkdir -p "$peers"
if test -x "$peers/usr/bin/prometheus" && test -x "$peers/usr/bin/promtool" \
  && test -x "$peers/usr/bin/victoria-metrics"; then
  exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
  echo "No apt here: the tests beside Prometheus and VictoriaMetrics do not run."
  exit 0
fi
fresh=$(mktemp -d "$peers/fresh.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
download() { (cd "$fresh" && apt-get download -q prometheus victoria-metrics >/dev/null 2>&1); }
if ! download; then
  # A machine that has never asked has no list of packages yet; only root may fetch one.
  test "$(id -u)" != 0 || apt-get update -q >/dev/null 2>&1 || true
  download || { echo "apt has no prometheus or victoria-metrics here: their tests do not run."; exit 0; }
fi
for package in "$fresh"/*.deb; do
  dpkg-deb -x "$package" "$fresh/tree"
done
# The whole tree moves into place at once, so that a second run never sees half of it.
rm -rf "$peers/usr"
mv "$fresh/tree/usr" "$peers/usr"
