# valetkey: makes `valetkey use NAME` work in this shell.
valetkey() {
  if [ "${1-}" != use ]; then
    command valetkey "$@"
    return
  fi
  shift
  case " $* " in
    *" --help "* | *" -h "*) command valetkey use --help; return ;;
  esac
  # Even if this fails, the shell keeps no credentials and no region of the previous customer.
  if [ -n "${VALETKEY_PROFILE-}" ]; then unset AWS_REGION AWS_DEFAULT_REGION; fi
  unset @VARIABLES@
  local _valetkey_lines
  _valetkey_lines="$(command valetkey use --shell bash "$@")" || return
  eval "$_valetkey_lines"
}
