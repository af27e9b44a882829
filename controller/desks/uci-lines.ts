/** Single quotes are all that a shell needs, and a quote inside stays quoted. */
const quoted = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;

const withTls = (broker_url: string): boolean => broker_url.startsWith('mqtts:');

/** Where a device is to have the certificate of the authority that signed the broker's. */
const CA_FILE = '/etc/perfleet/ca.pem';

/** The lines to paste on an OpenWrt router for a new device: the agent's UCI configuration with its credentials, and its start. */
export const uciLines = (device: string, password: string, broker_url: string): string[] => [
  'uci set perfleet.agent=agent',
  ...Object.entries({
    device,
    broker: broker_url,
    password,
    ...(withTls(broker_url) ? { tls_ca: CA_FILE } : {}),
  }).map(([key, value]) => `uci set perfleet.agent.${key}=${quoted(value)}`),
  'uci commit perfleet',
  '/etc/init.d/perfleet-agent restart',
];

/**
 * The line that installs the agent's package on an OpenWrt router, once its file is in /tmp: `opkg` up to 24.10, `apk` from 25.12 on. The
 * MQTT client is named because two packages provide one, and apk chooses none by itself.
 */
export const installLines = (broker_url: string): { opkg: string; apk: string } => {
  const client = `mosquitto-client-${withTls(broker_url) ? 'ssl' : 'nossl'}`;
  return {
    opkg: `opkg update && opkg install ${client} /tmp/perfleet-agent_*.ipk`,
    apk: `apk update && apk add --allow-untrusted ${client} /tmp/perfleet-agent-[0-9]*.apk`,
  };
};
