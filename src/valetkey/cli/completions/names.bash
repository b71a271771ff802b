# Names: read from files, never evaluated; valetkey is not started.

_valetkey_names() {
  local place name
  if [[ $1 == profiles ]]; then
    place=${XDG_CONFIG_HOME-}
    [[ $place == /* ]] || place=$HOME/.config
    for name in "$place"/valetkey/profiles/*.json; do
      name=${name##*/}
      name=${name%.json}
      # An id stands for a name that cannot be a file's; it is not a name.
      [[ $name == [A-Za-z0-9]* && ! $name =~ ^p-[0-9a-f]{16}$ ]] && printf '%s\n' "$name"
    done
  else
    place=${XDG_CACHE_HOME-}
    [[ $place == /* ]] || place=$HOME/.cache
    [[ -r $place/valetkey/grants ]] && while read -r name; do printf '%s\n' "$name"; done <"$place/valetkey/grants"
  fi
}

_valetkey_with_names() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} kind= several= before= name i
  case ${COMP_WORDS[1]} in
    @PROFILES@) kind=profiles ;;
    @GRANTS@) kind=grants ;;
  esac
  case ${COMP_WORDS[1]} in
    @SEVERAL@) several=1 ;;
  esac
  if [[ ${COMP_WORDS[1]} == exec ]]; then
    for ((i = 2; i < COMP_CWORD; i++)); do
      [[ ${COMP_WORDS[i]} == -- ]] || continue
      # The words of the command that is run.
      if declare -F _command_offset >/dev/null; then
        _command_offset $((i + 1))
      elif ((i + 1 == COMP_CWORD)); then
        mapfile -t COMPREPLY < <(compgen -c -- "$cur")
      else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      fi
      return
    done
  fi
  if [[ $kind && $cur != -* && ($COMP_CWORD -eq 2 || $prev == --profile || ($several && $prev != --*)) ]]; then
    # --profile A,B: the last of them.
    [[ $prev == --profile && $cur == *,* ]] && before=${cur%,*},
    COMPREPLY=()
    while read -r name; do
      [[ $before$name == "$cur"* ]] && COMPREPLY+=("$before$name")
    done < <(_valetkey_names "$kind")
    return
  fi
  _valetkey "$@"
}

complete -F _valetkey_with_names valetkey
