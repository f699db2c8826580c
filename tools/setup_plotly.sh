# shellcheck shell=bash
# Part of setup.sh: Plotly's script for the report page, out of its Python wheel, in .plotly below the repository.

# setup_plotly <repository> <dry run 0|1>
setup_plotly() {
  local repository pins dry_run="$2" folder
  repository="$(cd "$1" && pwd)"
  folder="$repository/.plotly"
  pins="$repository/tools/requirements/report.txt"
  # The stamp is written last: without it the folder was interrupted half-way.
  [[ "$(cat "$folder/stamp" 2>/dev/null)" != "$(sha256sum <"$pins")" ]] || return 0
  if ((dry_run)); then
    say "would install Plotly's script (5 MB) into $folder"
    return 0
  fi
  say "fetching Plotly's script into $folder"
  rm -rf "$folder"
  "$repository/.venv/bin/python" -m pip install --disable-pip-version-check --quiet --no-deps --target "$folder" -r "$pins" ||
    fail "pip could not install Plotly. Look at its message above (network, proxy, disk space) and run this again."
  [[ -f "$folder/plotly/package_data/plotly.min.js" ]] || fail "the plotly wheel holds no package_data/plotly.min.js."
  sha256sum <"$pins" >"$folder/stamp"
}
