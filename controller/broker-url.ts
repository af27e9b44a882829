import type { Settings } from './config/settings.ts';

/** Stands for the controller's address where it is not known. */
export const ANY_ADDRESS = 'CONTROLLER-ADDRESS';

/**
 * Where agents reach the broker. `port` is where the embedded one listens. An address that means "all" is left for the operator to
 * replace.
 */
export const brokerUrl = (broker: Settings['broker'], port: number): string => {
  if (broker.kind === 'external') return broker.url;
  const scheme = broker.tls === null ? 'mqtt' : 'mqtts';
  const host = broker.host === '0.0.0.0' || broker.host === '::' ? ANY_ADDRESS : broker.host;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
};
