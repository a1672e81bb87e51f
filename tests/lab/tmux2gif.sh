#!/bin/bash
# Films a tmux pane: two frames a second, as an animated GIF.
#
#   tmux2gif.sh PANE SECONDS COLUMNS OUT.gif
#
# TMUX_L names the tmux server's socket. Needs what tmux2png.py needs.
set -euo pipefail

[ $# = 4 ] || {
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"
  exit 2
}
here=$(dirname "$(readlink -f "$0")")
server=()
[ -z "${TMUX_L:-}" ] || server=(-L "$TMUX_L")
frames=$(mktemp -d)
trap 'rm -rf "$frames"' EXIT

for ((frame = 0; frame < $2 * 2; frame++)); do
  tmux "${server[@]}" capture-pane -e -p -N -t "$1" >"$frames/$(printf %04d "$frame").txt"
  sleep 0.5
done
for text in "$frames"/*.txt; do "$here/tmux2png.py" "${text%.txt}.png" "$3" 12 <"$text"; done
/usr/bin/python3 - "$frames" "$4" <<'PY'
import pathlib
import sys

from PIL import Image

frames = [Image.open(path) for path in sorted(pathlib.Path(sys.argv[1]).glob("*.png"))]
frames[0].save(sys.argv[2], save_all=True, append_images=frames[1:], duration=500, loop=0)
PY
