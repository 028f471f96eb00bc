#!/usr/bin/env bash
# usage: agent-image.sh NODE-CLIENT IMAGE FOLDER  — makes an image of the program and the libraries that it needs, without
# asking any registry, and saves it as FOLDER/agent.tar.
set -euo pipefail
program=$1 image=$2 folder=$3
mkdir -p "$folder/root/spool" "$folder/root/tmp"
cp "$program" "$folder/root/node-client"
ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
  install -D "$library" "$folder/root$library"
done
cat >"$folder/Containerfile" <<'END'
FROM scratch
COPY root /
ENTRYPOINT ["/node-client"]
END
podman build --quiet --format docker --tag "$image" "$folder" >&2
podman save --quiet --output "$folder/agent.tar" "$image"
