# What goes to standard output is the result; what goes to standard error is logged.
greet() {
  echo "the event is $1" >&2
  if [[ $1 == *Nobody* ]]; then
    echo "there is nobody to greet"
    return 1
  fi
  echo "{\"greeting\": \"Hello from Bash\", \"count\": $count}"
}
