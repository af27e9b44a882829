/** Host and port as one text, the host as it is written: the slots and the leases know a server's address by it. */
export const endpointOf = ({ host, port }: { host: string; port: number }): string => `${host}:${port}`;

/** The other way round. The host may be an IPv6 address: the port is behind the last colon. */
export const addressOf = (endpoint: string): { host: string; port: number } => {
  const colon = endpoint.lastIndexOf(':');
  return { host: endpoint.slice(0, colon), port: Number(endpoint.slice(colon + 1)) };
};
