# Fetches $URL to the file that is named, if its digest is $SHA256. curl tries again what may pass (no connection, a
# time-out, 429, 5xx). A transfer that breaks off or brings something else fails the attempt, and Tekton starts the next
# one (`retries`); the file is there only with the right content.
set -eu
part="$1.part"
curl --fail --location --no-progress-meter --retry 8 --retry-connrefused --connect-timeout 10 --max-time 300 \
    --output "$part" "$URL"
printf '%s  %s\n' "$SHA256" "$part" | sha256sum -c
mv "$part" "$1"
