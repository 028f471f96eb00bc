#!/usr/bin/env bats
# compose.yaml on this machine, with podman-compose and MongoDB: one story, told in order by the tests.

bats_require_minimum_version 1.5.0

setup_file() {
  load engine
  configure_engine
  make_project compose.yaml
}

setup() {
  load engine
  read_access_token
}

teardown() {
  show_logs_of_failure
}

teardown_file() {
  load engine
  end_project
}

is_ready() {
  call GET /readyz
}

is_not_ready() {
  ! call GET /readyz
}

reports_this_machine() {
  [ "$(online_hosts)" = "$(hostname)" ]
}

reports_simulated_hosts() {
  [[ "$(online_hosts)" == *"simulated-1 simulated-2 simulated-3"* ]]
}

@test "MongoDB's image is there, or a stand-in of its name" {
  "$BATS_TEST_DIRNAME/mongo.sh" docker.io/library/mongo:8
}

@test "the server comes up with MongoDB, and both call themselves well" {
  compose up -d --no-build socket-server
  eventually call GET /healthz
  eventually podman healthcheck run "$(container_of mongodb)"
  eventually podman healthcheck run "$(container_of socket-server)"
  eventually is_ready
}

@test "the password that nobody typed stands in no argument, no variable and no log" {
  password=$(podman exec "$(container_of mongodb)" cat /run/metric-flow/password)
  [ "${#password}" -eq 64 ]
  for service in mongodb socket-server; do
    podman inspect "$(container_of "$service")" >"$PROJECT/inspected"
    podman top "$(container_of "$service")" args >>"$PROJECT/inspected"
    podman logs "$(container_of "$service")" >>"$PROJECT/inspected" 2>&1
    run ! grep -q "$password" "$PROJECT/inspected"
  done
}

@test "no port of MongoDB is published, and the server's port is that of one network" {
  [ -z "$(podman port "$(container_of mongodb)")" ]
  # With two networks Podman answers on either, and by the wrong one to a container of the other.
  podman inspect --format '{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}' "$(container_of socket-server)" >"$PROJECT/networks"
  [ "$(grep -c . "$PROJECT/networks")" -eq 1 ]
}

@test "the dashboard is served" {
  call GET / | grep -qi '<!doctype html>'
}

@test "the link in the log makes the first account" {
  make_account
}

@test "with a key, this machine comes online" {
  call POST /api/v1/keys '{"label":"compose"}' | field key >"$PROJECT/secrets/api-key"
  compose up -d --no-build node-client
  eventually count_online 1
  eventually podman healthcheck run "$(container_of node-client)"
}

@test "it reports the machine, not the container" {
  eventually reports_this_machine
}

@test "three simulated hosts join it, each a host of its own" {
  compose up -d --no-build simulated-1 simulated-2 simulated-3
  eventually count_online 4
  eventually reports_simulated_hosts
}

@test "a simulated host is the same host after a restart" {
  podman restart --time 10 "$(container_of simulated-1)"
  eventually count_online 4
  [ "$(call GET /api/v1/hosts | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["hosts"]))')" -eq 4 ]
}

@test "the server keeps its account and its hosts over a restart" {
  podman restart --time 20 "$(container_of socket-server)"
  eventually call GET /healthz
  eventually count_online 4
}

@test "while MongoDB is away the server stays and says so, and afterwards all is as it was" {
  podman stop --time 20 "$(container_of mongodb)"
  eventually is_not_ready
  call GET /healthz
  podman start "$(container_of mongodb)"
  eventually is_ready
  eventually count_online 4
}

@test "down leaves nothing running" {
  compose down --volumes --timeout 20
  [ -z "$(container_of mongodb)" ]
  [ -z "$(container_of socket-server)" ]
  [ -z "$(container_of node-client)" ]
}
