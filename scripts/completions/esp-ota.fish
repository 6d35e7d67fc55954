# Completion of esp-ota for fish.

# The boards that announce themselves. What the network says ends up on the command line, so nothing
# but plain host names passes.
function __esp_ota_boards
    command esp-ota --list --timeout=2 2>/dev/null |
        awk -F '\t' '$7 == "espota" && $2 ~ /^[A-Za-z0-9][A-Za-z0-9.-]*$/ { print $2 }'
end

complete -c esp-ota -f
complete -c esp-ota -s i -l ip -x -a '(__esp_ota_boards)' -d 'The board: address, host name, or the name it announces'
complete -c esp-ota -l hosts -r -F -d 'A list of boards, one a line'
complete -c esp-ota -l all -d 'All boards that announce themselves'
complete -c esp-ota -l match -x -d 'Those of them whose name or host name fits'
complete -c esp-ota -l board -x -d 'Those of them that are of this kind'
complete -c esp-ota -s p -l port -x -a '2040 3232 8266' -d 'UDP port of the board'
complete -c esp-ota -s l -l list -d 'Print the boards that announce themselves'
complete -c esp-ota -s a -l auth -x -d 'The board\'s OTA password'
complete -c esp-ota -l auth-file -r -F -d 'Read the password from the first line of a file'
complete -c esp-ota -s m -l md5-target -d 'The board keeps an MD5 hash of its password'
complete -c esp-ota -s f -l file -r -F -d 'The firmware or filesystem image'
complete -c esp-ota -s s -l spiffs -l filesystem -d 'The file is a filesystem image'
complete -c esp-ota -s z -l compress -d 'Send it compressed'
complete -c esp-ota -l sign -r -F -d 'Sign it with this private key'
complete -c esp-ota -l sign-hash -x -a 'sha256 sha384 sha512' -d 'What an ESP32 checks the signature over'
complete -c esp-ota -l output -r -F -d 'Write what would be sent to a file, and upload nothing'
complete -c esp-ota -l check -d 'Say what the file is, and upload nothing'
complete -c esp-ota -l verify-key -r -F -d 'Whether this key has signed the file (with --check)'
complete -c esp-ota -l force -d 'Send it even if it is unsuitable'
complete -c esp-ota -l max-size -x -d 'Refuse a larger file'
complete -c esp-ota -s I -l host-ip -x -d 'Address of this computer to use'
complete -c esp-ota -s P -l host-port -x -d 'TCP port that the board connects back to, or a range'
complete -c esp-ota -l peer -x -a any -d 'Address from which the board connects'
complete -c esp-ota -s t -l timeout -x -d 'Seconds the board may take to accept the upload'
complete -c esp-ota -l wait -x -d 'Look so long for a board that is asleep or off'
complete -c esp-ota -l retries -x -d 'Further attempts when one fails in a way that may pass'
complete -c esp-ota -l lockstep -d 'Wait for the board after each block'
complete -c esp-ota -l block -x -d 'Block size for lock-step'
complete -c esp-ota -s j -l jobs -x -d 'How many boards to update at a time'
complete -c esp-ota -l canary -x -d 'Update so many boards first, and go on only if all confirm'
complete -c esp-ota -l max-failures -x -d 'Begin with no further board after so many have failed'
complete -c esp-ota -l resume -r -F -d 'Leave out the boards that an earlier report says have confirmed'
complete -c esp-ota -s r -l progress -d 'Draw the progress bar even if this is no terminal'
complete -c esp-ota -s q -l quiet -d 'Print nothing but errors'
complete -c esp-ota -l json -d 'One JSON object per line on standard output'
complete -c esp-ota -s d -l debug -d 'Say what happens on the network, step by step'
complete -c esp-ota -s h -l help -d 'Print all options'
complete -c esp-ota -l usage -d 'Print a short summary'
complete -c esp-ota -s V -l version -d 'Print the version'
