/** What people are told when there is nothing to show. */
export const NO_SERVERS = 'no servers: list them under `servers` in the configuration\n';

/** An IPv6 address in brackets. */
export const hostAndPort = ({ host, port }: { host: string; port: number }): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;
