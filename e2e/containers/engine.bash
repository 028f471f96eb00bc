# shellcheck shell=bash
# What the container tests share: an engine that runs here, the images, and the server's HTTP API.

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
CACHE=$ROOT/.cache/containers
TAG="test"
export METRIC_FLOW_TAG=$TAG

# Settings under which containers start on a machine without CAP_SYS_RESOURCE and with hybrid cgroups, too.
configure_engine() {
  mkdir -p "$CACHE"
  local runtime=runc
  command -v runc >/dev/null || runtime=crun
  cat >"$CACHE/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "$runtime"
cgroup_manager = "cgroupfs"
CONF
  export CONTAINERS_CONF=$CACHE/containers.conf
}

# Builds one target on the locally made base. Toolchains and package caches are the machine's own, mounted: nothing
# is fetched. A debug build, because it shows the same as an optimised one in a third of the time.
build_image() {
  local target=$1 base=localhost/metric-flow/build-base:2 rust node npm_cache cargo_home
  rust=$(cd "$ROOT" && rustc --print sysroot)
  cargo_home=${CARGO_HOME:-$HOME/.cargo}
  node=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
  npm_cache=$(npm config get cache)
  mkdir -p "$CACHE/target" "$npm_cache"
  "$BATS_TEST_DIRNAME/base.sh" "$base"
  podman build --quiet --format docker --isolation chroot --network host --pull=never \
    --target "$target" --tag "localhost/metric-flow/$target:$TAG" \
    --build-arg NODE_IMAGE="$base" --build-arg RUST_IMAGE="$base" --build-arg CARGO_PROFILE=dev \
    --volume "$rust:/opt/rust:ro" --volume "$cargo_home/registry:/opt/cargo/registry" \
    --volume "$node:/opt/node:ro" --volume "$npm_cache:/opt/npm" --volume "$CACHE/target:/opt/target" \
    "$ROOT"
}

# A free port below those that the system gives to outgoing connections: it must still be free a while later.
free_port() {
  python3 - <<'PYTHON'
import random, socket
while True:
    with socket.socket() as tried:
        port = random.randint(20000, 32000)
        try:
            tried.bind(("0.0.0.0", port))
        except OSError:
            continue
        print(port)
        break
PYTHON
}

# A copy of a Compose file in a folder of its own, so that the names of containers and volumes are its own.
make_project() {
  PROJECT=$(mktemp -d "${TMPDIR:-/tmp}/metric-flow-compose-XXXXXX")
  cp "$ROOT/$1" "$PROJECT/compose.yaml"
  mkdir -m 0700 "$PROJECT/secrets"
  METRIC_FLOW_PORT=$(free_port)
  SERVER_URL=http://127.0.0.1:$METRIC_FLOW_PORT
  export PROJECT METRIC_FLOW_PORT SERVER_URL
}

compose() {
  (cd "$PROJECT" && podman-compose "$@")
}

# The end of a story, however it went: nothing of the project is left, nor what podman-compose does not remove again.
end_project() {
  compose down --volumes --timeout 5 >/dev/null 2>&1 || true
  podman network ls --quiet --filter "name=^$(basename "$PROJECT" | tr '[:upper:]' '[:lower:]')_" |
    xargs --no-run-if-empty podman network rm >/dev/null || true
  rm -rf "$PROJECT"
}

# What the services said, when a test failed.
show_logs_of_failure() {
  [ -n "${BATS_TEST_COMPLETED:-}" ] || compose logs 2>&1 | tail -n 60
}

# The access token that an earlier test of the story was given, if one was.
read_access_token() {
  ACCESS_TOKEN=$(cat "$PROJECT/access-token" 2>/dev/null || true)
  export ACCESS_TOKEN
}

# The name that podman-compose gives the container of a service.
container_of() {
  podman ps --all --filter "label=com.docker.compose.project=$(basename "$PROJECT" | tr '[:upper:]' '[:lower:]')" \
    --filter "label=com.docker.compose.service=$1" --format '{{.Names}}' | head -n 1
}

# Repeats a command until it succeeds, for as long as a loaded machine may need.
eventually() {
  local end=$((SECONDS + 300))
  until "$@"; do
    if [ $SECONDS -ge $end ]; then
      echo "not within 300 s: $*" >&2
      return 1
    fi
    sleep 0.5
  done
}

# call METHOD PATH [BODY]: the answer's JSON; fails on an error status.
call() {
  local arguments=(--silent --show-error --fail-with-body --max-time 60 --request "$1"
    --header "origin: $SERVER_URL" --header 'content-type: application/json')
  [ -z "${ACCESS_TOKEN:-}" ] || arguments+=(--header "authorization: Bearer $ACCESS_TOKEN")
  [ -z "${3:-}" ] || arguments+=(--data "$3")
  curl "${arguments[@]}" "$SERVER_URL$2"
}

# The link that makes the first account, from the server's log.
set_up_link() {
  podman logs "$(container_of socket-server)" 2>&1 | grep -o 'setup#[^[:space:]]*'
}

# Makes the first account and keeps its access token.
make_account() {
  local token
  eventually set_up_link
  token=$(set_up_link | tail -n 1)
  call POST /api/v1/setup "{\"token\":\"${token#setup#}\",\"name\":\"owner\",\"password\":\"correct horse battery\"}" |
    field access_token >"$PROJECT/access-token"
}

online_hosts() {
  call GET /api/v1/hosts | python3 -c '
import json, sys
print(*sorted(host["name"] for host in json.load(sys.stdin)["hosts"] if host["online"]))'
}

count_online() {
  [ "$(online_hosts | wc -w)" -eq "$1" ]
}

# field NAME: one text field of the JSON on standard input.
field() {
  python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}
