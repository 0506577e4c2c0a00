#!/bin/sh
# review.sh STACK…: previews each stack, and writes review.md and review.html about all of them. Posts nothing.
# Ends with the exit code of the preview that failed; what it knew by then is in the documents.
code=0
set -- "$@" --
while [ "$1" != -- ]; do
    PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true pulumi preview --json --non-interactive --stack "$1" > "$1.events" || code=$?
    [ -s "$1.events" ] && set -- "$@" --from "$1.events"
    shift
done
shift
[ $# -eq 0 ] || kf review "$@" --markdown review.md --html review.html || code=$?
exit $code
