#!/usr/bin/env bash
# A Docker Engine for the tests, on a machine without an init system: `docker.sh start` installs it where it is missing and
# runs it, `docker.sh stop` ends the one that `start` ran. DOCKERD_FLAGS are passed on.
set -euo pipefail
folder=${DOCKERD_FOLDER:-/run/cartridge-ci}

case ${1:-} in
start)
    if ! command -v dockerd >/dev/null; then
        apt-get -qq -o Acquire::Retries=3 update
        apt-get -qq -o Acquire::Retries=3 install --yes --no-install-recommends docker.io iptables >/dev/null
    fi
    mkdir -p "$folder"
    # What an engine that was killed left: its number may be another program's by now, and a new engine would believe it.
    for file in "$folder/dockerd.pid" /run/docker/containerd/containerd.pid; do
        pid=$(cat "$file" 2>/dev/null) || continue
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$(basename "$file" .pid)" ] || rm -f "$file"
    done
    # shellcheck disable=SC2086 # flags are words
    setsid dockerd --pidfile "$folder/dockerd.pid" ${DOCKERD_FLAGS:-} >"$folder/dockerd.log" 2>&1 </dev/null &
    engine=$!
    for _ in $(seq 300); do
        docker info >/dev/null 2>&1 && exit 0
        kill -0 "$engine" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 20 "$folder/dockerd.log" >&2
    exit 3
    ;;
stop)
    pid=$(cat "$folder/dockerd.pid" 2>/dev/null) || exit 0
    kill "$pid" 2>/dev/null || exit 0
    for _ in $(seq 300); do
        kill -0 "$pid" 2>/dev/null || exit 0
        sleep 0.1
    done
    kill -KILL "$pid"
    ;;
*)
    echo "usage: docker.sh start|stop" >&2
    exit 2
    ;;
esac
