handler() {
  case "$1" in
    *fail*) echo "it was asked to"; return 1 ;;
    *) echo "an event: $1" >&2; echo "{\"wd\": \"$PWD\", \"env\": \"${AWS_EXECUTION_ENV-unset}\", \"got\": $1}" ;;
  esac
}
