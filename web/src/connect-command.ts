/** What to paste on a host: the key goes through a here-document, so it is in no argument list. */
export function connectCommand(origin: string, key: string): string {
  return [
    "(umask 077; cat > metric-flow.key <<'KEY'",
    key,
    "KEY",
    ")",
    `node-client connect --server ${origin} --api-key-file metric-flow.key`,
  ].join("\n");
}
