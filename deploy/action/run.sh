# One command on a log, for action.yml. What it is told comes as variables, never as words of a script:
#   TILETREE  the program    COMMAND  its command and options    LOG  the log    KEY  its key, or what --key takes
set -euo pipefail
case $KEY in
PRIVATE+KEY+*) export TILETREE_PRIVATE_KEY=$KEY ;;
?*) export TILETREE_KEY=$KEY ;;
esac
unset KEY
for name in TILETREE_PRIVATE TILETREE_ANCHOR; do
    [ -n "${!name}" ] || unset "$name"
done
read -ra words <<<"$COMMAND"
status=0
document=$("$TILETREE" "${words[@]}" --json -- "$LOG") || status=$?
printf 'document=%s\n' "$document" >>"$GITHUB_OUTPUT"
printf '%s\n' "$document"
exit "$status"
