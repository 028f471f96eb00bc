#!/usr/bin/env bats
# compose.yaml on this machine, with podman-compose: one story, told in order by the tests.

bats_require_minimum_version 1.5.0

setup_file() {
  load engine
  configure_engine
  make_project
}

setup() {
  load engine
  ACCESS_TOKEN=$(cat "$PROJECT/access-token" 2>/dev/null || true)
  export ACCESS_TOKEN
}

teardown() {
  if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
    compose logs 2>&1 | tail -n 60
  fi
}

teardown_file() {
  load engine
  compose down --volumes --timeout 5 >/dev/null 2>&1 || true
  rm -rf "$PROJECT"
}

set_up_link() {
  podman logs "$(container_of socket-server)" 2>&1 | grep -o 'setup#[^[:space:]]*'
}

online_hosts() {
  call GET /api/v1/hosts | python3 -c '
import json, sys
print(*sorted(host["name"] for host in json.load(sys.stdin)["hosts"] if host["online"]))'
}

count_online() {
  [ "$(online_hosts | wc -w)" -eq "$1" ]
}

@test "the server comes up and calls itself well" {
  compose up -d --no-build socket-server
  eventually call GET /healthz
  eventually podman healthcheck run "$(container_of socket-server)"
}

@test "the dashboard is served" {
  call GET / | grep -qi '<!doctype html>'
}

@test "the link in the log makes the first account" {
  eventually set_up_link
  token=$(set_up_link | head -n 1)
  call POST /api/v1/setup "{\"token\":\"${token#setup#}\",\"name\":\"owner\",\"password\":\"correct horse battery\"}" |
    field access_token >"$PROJECT/access-token"
}

@test "with a key, this machine comes online" {
  call POST /api/v1/keys '{"label":"compose"}' | field key >"$PROJECT/secrets/api-key"
  compose up -d --no-build node-client
  eventually count_online 1
  eventually podman healthcheck run "$(container_of node-client)"
}

@test "it reports the machine, not the container" {
  [ "$(online_hosts)" = "$(hostname)" ]
}

@test "three simulated hosts join it, each a host of its own" {
  compose up -d --no-build simulated-1 simulated-2 simulated-3
  eventually count_online 4
  [[ "$(online_hosts)" == *"simulated-1 simulated-2 simulated-3"* ]]
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

@test "down leaves nothing running" {
  compose down --volumes --timeout 20
  [ -z "$(container_of socket-server)" ]
  [ -z "$(container_of node-client)" ]
}
