/** Single quotes are all that a shell needs, and a quote inside stays quoted. */
const quoted = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;

/** The lines to paste on an OpenWrt router for a new device: the agent's UCI configuration with its credentials. */
export const uciLines = (device: string, password: string, broker_url: string): string[] => [
  'uci set perfleet.agent=agent',
  ...Object.entries({ broker: broker_url, device, username: device, password }).map(
    ([key, value]) => `uci set perfleet.agent.${key}=${quoted(value)}`,
  ),
  'uci commit perfleet',
  '/etc/init.d/perfleet restart',
];
