# One command on a log, for action.yml. What it is told comes as variables, never as words of a script:
#   TILETREE  the program    COMMAND  its command and options    LOG  the log    FILES  files or patterns, one a line
#   KEY  the log's key, or what --key takes    PRIVATE, ANCHOR  as --private and --anchor take them
# An input that is empty leaves the variable of the workflow's env as it is.
set -euo pipefail
case $KEY in
PRIVATE+KEY+*) export TILETREE_PRIVATE_KEY=$KEY ;;
?*) export TILETREE_KEY=$KEY ;;
esac
[ -z "$PRIVATE" ] || export TILETREE_PRIVATE=$PRIVATE
[ -z "$ANCHOR" ] || export TILETREE_ANCHOR=$ANCHOR
read -ra words <<<"$COMMAND"
files=()
while IFS= read -r file; do
    [ -z "$file" ] || files+=("$file")
done <<<"$FILES"
unset KEY PRIVATE ANCHOR FILES
status=0
document=$("$TILETREE" "${words[@]}" --json -- "$LOG" ${files[@]+"${files[@]}"}) || status=$?
# no line of a document is this word, and a command such as `monitor` prints a document a line
printf 'document<<end-of-document\n%s\nend-of-document\n' "$document" >>"$GITHUB_OUTPUT"
printf '%s\n' "$document"
exit "$status"
