#!/usr/bin/env bats
# compose.embedded.yaml on this machine: the same without MongoDB.

bats_require_minimum_version 1.5.0

setup_file() {
  load engine
  configure_engine
  make_project compose.embedded.yaml
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

@test "the server comes up alone" {
  compose up -d --no-build socket-server
  eventually call GET /readyz
  eventually podman healthcheck run "$(container_of socket-server)"
  [ -z "$(container_of mongodb)" ]
}

@test "with an account and a key, a simulated host comes online" {
  make_account
  read_access_token
  call POST /api/v1/keys '{"label":"compose"}' | field key >"$PROJECT/secrets/api-key"
  compose up -d --no-build simulated-1
  eventually count_online 1
}

@test "the server keeps its account and its host over a restart" {
  podman restart --time 20 "$(container_of socket-server)"
  eventually call GET /healthz
  eventually count_online 1
}

@test "down leaves nothing running" {
  compose down --volumes --timeout 20
  [ -z "$(container_of socket-server)" ]
  [ -z "$(container_of simulated-1)" ]
}
