# shellcheck shell=bash
# Completes subcommands and options of orchestrator, worker and analysis in bash: `source tools/completion.bash`.
# The words are those of the programs' own --help, asked for once in a shell; whatever else is completed is a file.

declare -gA _ditscale_words=()

# Learns the words of a command, such as `orchestrator` or `worker vae`.
_ditscale_learn() {
  [[ -z "${_ditscale_words[$*]+known}" ]] || return 0
  _ditscale_words[$*]="$("$@" --help 2>/dev/null </dev/null | awk '
    /^[A-Z][a-z]*:$/ {section = $1}
    section == "Subcommands:" && /^  [a-z]/ {print $1}
    section == "Options:" && /^  -/ {gsub(",", "\n", $1); print $1}')"
}

_ditscale() {
  local current="${COMP_WORDS[COMP_CWORD]}" word
  local command=("${COMP_WORDS[0]/#\~/$HOME}")
  COMPREPLY=()
  _ditscale_learn "${command[@]}"
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ "$word" != -- ]] || return 0 # sbatch's
    if [[ "$word" != -* && $'\n'"${_ditscale_words[${command[*]}]}"$'\n' == *$'\n'"$word"$'\n'* ]]; then
      command+=("$word")
      _ditscale_learn "${command[@]}"
    fi
  done
  local words="${_ditscale_words[${command[*]}]}"
  # Options only where one was begun: an empty word may be a file.
  [[ "$current" == -* ]] || words="$(grep '^[^-]' <<<"$words" || true)"
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -o bashdefault -o default -F _ditscale orchestrator worker analysis
