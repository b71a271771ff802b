# Names: read from files, never evaluated; valetkey is not started.

_valetkey_names() {
  local place name
  local -a names
  if [[ $1 == profiles ]]; then
    place=${XDG_CONFIG_HOME-}
    [[ $place == /* ]] || place=$HOME/.config
    # An id (p- and 16 hex digits) stands for a name that cannot be a file's; it is not a name.
    for name in $place/valetkey/profiles/[A-Za-z0-9]*.json(N:t:r); do
      [[ $name =~ '^p-[0-9a-f]{16}$' ]] || names+=($name)
    done
  else
    place=${XDG_CACHE_HOME-}
    [[ $place == /* ]] || place=$HOME/.cache
    [[ -r $place/valetkey/grants ]] && names=(${(f)"$(<$place/valetkey/grants)"})
  fi
  # --profile A,B: the last of them.
  [[ $2 == --profile ]] && compset -P '*,'
  compadd -a names
}

functions[_valetkey_commands]=$functions[_cyclopts_valetkey]

_cyclopts_valetkey() {
  local kind several
  integer dashes
  case ${words[2]} in
    (@PROFILES@) kind=profiles ;;
    (@GRANTS@) kind=grants ;;
  esac
  case ${words[2]} in
    (@SEVERAL@) several=1 ;;
  esac
  dashes=${words[(i)--]}
  if [[ ${words[2]} == exec ]] && (( dashes < CURRENT )); then
    # The words of the command that is run.
    shift $dashes words
    (( CURRENT -= dashes ))
    _normal
    return
  fi
  local cur=${words[CURRENT]} prev=${words[CURRENT-1]}
  if [[ -n $kind && $cur != -* ]] && { (( CURRENT == 3 )) || [[ $prev == --profile || ( -n $several && $prev != --* ) ]] }; then
    _valetkey_names $kind $prev
    return
  fi
  _valetkey_commands "$@"
}

# The first time, this file is the function.
if [[ ${funcstack[1]} == _cyclopts_valetkey ]]; then
  _cyclopts_valetkey "$@"
fi
