#!/bin/sh
# Builds the image without Docker and stores it in a registry:  ./build.sh 127.0.0.1:5000/demo/site:1
# Needs go, umoci and skopeo. What is given after the name goes to `skopeo copy`, such as --dest-creds=user:password.
set -eu
cd "$(dirname "$0")"
name=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

CGO_ENABLED=0 GOBIN="$work" go install -ldflags '-s -w' github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9

umoci init --layout "$work/image"
umoci new --image "$work/image:site"
umoci insert --image "$work/image:site" --rootless "$work/caddy" /caddy
umoci insert --image "$work/image:site" --rootless site /site
umoci config --image "$work/image:site" --config.entrypoint /caddy \
  --config.cmd file-server --config.cmd --root --config.cmd /site --config.cmd --listen --config.cmd :9000

skopeo copy "$@" "oci:$work/image:site" "docker://$name"
