#!/usr/bin/env bats
# The images: built without a registry, and holding nothing but their program.

bats_require_minimum_version 1.5.0

setup_file() {
  load engine
  configure_engine
}

setup() {
  load engine
}

@test "socket-server is built on locally made bases" {
  build_image socket-server
}

@test "node-client is built on locally made bases" {
  build_image node-client
}

@test "deployer is built on locally made bases" {
  build_image deployer
}

@test "each program runs alone in its image and says its version" {
  for target in socket-server node-client deployer; do
    run podman run --rm --pull never --network none "localhost/metric-flow/$target:$TAG" --version
    echo "$output"
    [ "$status" -eq 0 ]
  done
}

@test "no image runs as root" {
  for target in socket-server node-client deployer; do
    run podman image inspect --format '{{.Config.User}}' "localhost/metric-flow/$target:$TAG"
    [ "$output" = 65532:65532 ]
  done
}

@test "no image has a shell" {
  for target in socket-server node-client deployer; do
    podman image exists "localhost/metric-flow/$target:$TAG"
    run podman run --rm --pull never --network none --entrypoint /bin/sh "localhost/metric-flow/$target:$TAG" -c true
    echo "$output"
    [ "$status" -ne 0 ]
  done
}

@test "the services' images carry a health check by their own program" {
  for target in socket-server node-client; do
    run podman image inspect --format '{{.HealthCheck.Test}}' "localhost/metric-flow/$target:$TAG"
    [ "$output" = "[CMD /$target healthcheck]" ]
  done
}
