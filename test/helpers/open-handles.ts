const WATCHED = new Set(['TCPServerWrap', 'TCPSocketWrap', 'TLSWrap', 'PipeWrap', 'ProcessWrap']);

/** The sockets, servers and child processes that keep this process busy, sorted. Compare before and after: a test leaves none behind. */
export const openHandles = (): string[] =>
  process
    .getActiveResourcesInfo()
    .filter((name) => WATCHED.has(name))
    .sort();
