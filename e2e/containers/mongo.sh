#!/usr/bin/env bash
# Makes sure that the image of compose.yaml's mongodb service is there: pulled where a registry can be reached, else made
# here, of the same name, from the system's own packages with SecantusDB in it, a server that speaks MongoDB's protocol.
#
#   mongo.sh IMAGE
set -euo pipefail

image=$1
here=$(cd "$(dirname "$0")" && pwd)
made_from=$(cat "$here/mongo.sh" "$here"/mongo-stand-in/* | sha256sum | cut -c 1-16)
label=io.metric-flow.stand-in
# A stand-in of an earlier state of these files is made again; an image without the label is the real one.
found=$(podman image inspect --format "{{index .Labels \"$label\"}}|" "$image" 2>/dev/null || true)
case $found in
  "|" | "<no value>|" | "$made_from|") exit 0 ;;
  "") timeout 600 podman pull --quiet "$image" 2>/dev/null && exit 0 ;;
esac

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Retries "5"' --include=python3 "$suite" "$folder/root.tar" >&2
# The image's own Python: the package has compiled parts, and the machine's Python may be another.
mkdir "$folder/root"
tar -C "$folder/root" -xf "$folder/root.tar" --exclude './dev/*'
version=$(basename "$(readlink -f "$folder/root/usr/bin/python3")")
python3 -m pip install --quiet --retries 10 --disable-pip-version-check --root-user-action ignore \
  --only-binary :all: --python-version "${version#python}" --implementation cp \
  --target "$folder/root/usr/lib/python3/dist-packages" secantusdb==0.7.0b3 >&2
install -D -m 0755 -t "$folder/root/usr/local/bin" "$here/mongo-stand-in/docker-entrypoint.sh" "$here/mongo-stand-in/mongosh"
install -D -m 0644 -t "$folder/root/usr/local/lib" "$here/mongo-stand-in/make-user.py"
install -m 0755 "$folder/root/usr/lib/python3/dist-packages/bin/secantusd-py" "$folder/root/usr/local/bin/secantusd"
mkdir -p "$folder/root/data/db"
# What neither Python nor the server needs, since hosts of a lab have to be sent the rest.
rm -rf "$folder"/root/usr/share/{doc,locale,man,perl} "$folder"/root/var/{lib/apt,cache/apt} "$folder"/root/usr/lib/*-linux-gnu/perl*
find "$folder/root/usr/lib/python3/dist-packages" -name tests -type d -prune -exec rm -rf {} +
tar -C "$folder/root" -cf - . | podman import --quiet \
  --change 'ENTRYPOINT ["docker-entrypoint.sh"]' --change 'CMD ["mongod"]' --change 'VOLUME /data/db' \
  --change 'EXPOSE 27017' --change "LABEL $label=$made_from" --change ENV=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  - "$image" >&2
