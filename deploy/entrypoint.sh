#!/bin/sh
# What a container does: serve what SERVICE names (its schema is migrated first), or any other slipring command.
set -eu

if [ "${1:-serve}" != serve ] || [ "$#" -gt 1 ]; then
    exec slipring "$@"
fi

case "$SERVICE" in
    front) port=8100 ;;
    order) port=8101 ;;
    consent) port=8102 ;;
    report) port=8103 ;;
    critical) port=8104 ;;
    *) echo "SERVICE must be front, order, consent, report or critical, not '$SERVICE'" >&2; exit 2 ;;
esac

# Listening on the container's own name makes the address it tells the others one that they can reach.
exec slipring serve "$SERVICE" --host "${SLIPRING_HOST:-$(hostname)}" --port "$port" --data-dir "$SLIPRING_DATA_DIR"
