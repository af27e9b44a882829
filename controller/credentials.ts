import type { Settings } from './config/settings.ts';

/** Single quotes are all that a shell needs; none of our values holds one, and if it did it would stay quoted. */
const quoted = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;

/** The lines to paste on an OpenWrt router for a new device: the agent's UCI configuration with its credentials. */
export const uciLines = (device: string, password: string, broker_url: string, broker: Settings['broker']): string[] => {
  const settings: [string, string][] = [
    ['broker', broker_url],
    ['device', device],
    ['username', device],
    ['password', password],
  ];
  if (broker.tls?.ca != null) settings.push(['ca', '/etc/perfleet/ca.pem']);
  return [
    'uci set perfleet.agent=agent',
    ...settings.map(([key, value]) => `uci set perfleet.agent.${key}=${quoted(value)}`),
    'uci commit perfleet',
    '/etc/init.d/perfleet restart',
  ];
};
