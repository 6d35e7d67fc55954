# Completion of esp-ota for bash. Needs nothing of the bash-completion package but to be loaded.

# The boards that announce themselves. What the network says ends up on the command line, so nothing
# but plain host names passes.
_esp_ota_boards() {
  command esp-ota --list --timeout=2 2>/dev/null |
    awk -F '\t' '$7 == "espota" && $2 ~ /^[A-Za-z0-9][A-Za-z0-9.-]*$/ { print $2 }'
}

# The boards and groups of the configuration. A project may have brought its own, so only plain names pass.
_esp_ota_names() {
  command esp-ota --show-config 2>/dev/null |
    sed -n 's/^\[board \([A-Za-z0-9][A-Za-z0-9_-]*\)\]$/\1/p; s/^\[group \([A-Za-z0-9][A-Za-z0-9_-]*\)\]$/@\1/p'
}

_esp_ota_interfaces() {
  local path
  for path in /sys/class/net/*; do
    [[ ${path##*/} =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] && echo "${path##*/}"
  done
}

_esp_ota() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} assigned="" offered=""
  if [[ $word == "=" ]]; then # bash takes --file=x for three words
    word="" assigned="="
  elif [[ $before == "=" ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]} assigned="="
  fi
  if [[ $before == "@" ]]; then # and @group for two, which readline completes as one
    before=${COMP_WORDS[COMP_CWORD - 2]} word=@$word
  fi
  case $before in
    --monitor | --timestamps | --online | --serve) before+=$assigned ;; # a value only behind "="
  esac
  COMPREPLY=()

  case $before in
    -f | --file | --output | --auth-file | --encryption-key-file | --hosts | --resume | --sign | --verify-key | --log | --metrics | --config | --cacert | --tls-cert | --tls-key)
      compopt -o default # without a reply, readline completes file names, and quotes them
      return
      ;;
    -i | --ip) offered="$(_esp_ota_names) $(_esp_ota_boards)" ;;
    -I | --host-ip) offered=$(_esp_ota_interfaces) ;;
    -p | --port) offered="2040 3232 8266" ;;
    --peer) offered="any" ;;
    --monitor=) offered="23" ;;
    --serve=) offered="8080" ;;
    --timestamps=) offered="wall" ;;
    --sign-hash) offered="sha256 sha384 sha512" ;;
    --protocol) offered="espota esphome sketch web" ;;
    --page) offered="auto esp8266 esp32 webupdater elegantota asyncupdate async tasmota wled esphome espurna safeboot wifimanager form" ;;
    --min-auth) offered="md5 sha256" ;;
    -a | --auth | -P | --host-port | -t | --timeout | --wait | --retries | --deadline | \
      --match | --board | -j | --jobs | --canary | --max-failures | --block | --user | --field | --expect-version | --max-size | \
      --monitor-for | --expect | --reject | --expect-timeout | --online= | \
      --serve-for | --until-confirmed | --serve-version) ;;
    *)
      if [[ $word == -* ]]; then
        offered="--ip --hosts --all --match --board --port --protocol --list --auth --auth-file --md5-target --min-auth --user --encryption-key-file
          --file --spiffs --filesystem --compress --sign --sign-hash --output --check --verify-key --force --max-size --host-ip --host-port --peer --timeout --wait --retries --deadline --lockstep --block --page --field --cacert --insecure --expect-version --jobs
          --dry-run --canary --max-failures --resume --serve --serve-for --until-confirmed --serve-version --tls-cert --tls-key --monitor --monitor-for --timestamps --raw --log --expect --reject
          --expect-timeout --online --pluggable-discovery --pluggable-monitor --progress --quiet --verbose --json --metrics --debug --config --show-config
          --no-compress --no-insecure --no-lockstep --no-md5-target --no-online --no-progress --no-timestamps --no-verbose
          --help --usage --version"
      else
        compopt -o default 2>/dev/null # the image, unless a name fits
        offered=$(_esp_ota_names)
      fi
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$word")
}

complete -F _esp_ota esp-ota
