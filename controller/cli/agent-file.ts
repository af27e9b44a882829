import { ANY_ADDRESS } from '../broker-url.ts';
import { isLoopback } from '../config/loopback.ts';

/** The value of `uci set perfleet.agent.KEY='VALUE'`. */
const settingIn = (uci: readonly string[], key: string): string | null => {
  const begin = `uci set perfleet.agent.${key}=`;
  const line = uci.find((one) => one.startsWith(begin));
  return line === undefined ? null : line.slice(begin.length).replace(/^'(.*)'$/, '$1');
};

/** The agent's file for a device that runs Node.js: what the UCI lines say, but the password, which has its own file. */
export const agentFile = (device: string, uci: readonly string[]): string[] => {
  const ca = settingIn(uci, 'tls_ca');
  return [
    `device: ${device}`,
    `broker: ${settingIn(uci, 'broker') ?? 'mqtt://CONTROLLER:1883'}`,
    'password_file: /etc/perfleet/password',
    ...(ca === null ? [] : [`tls: { ca: ${ca} }`]),
  ];
};

/** What the device still needs before the lines will do, a sentence each. */
export const stillNeeded = (uci: readonly string[]): string[] => {
  const ca = settingIn(uci, 'tls_ca');
  const address = `In place of ${ANY_ADDRESS} write the name or address under which devices reach this machine.`;
  const authority = `Copy the certificate of the authority that signed the broker's to ${ca}, or leave tls_ca out if that is a public one.`;
  return [...(uci.join().includes(ANY_ADDRESS) ? [address] : []), ...(ca === null ? [] : [authority])];
};

/** The broker's host when only the machine that it runs on can reach it, else null. */
export const onlyHere = (uci: readonly string[]): string | null => {
  const [, host = ''] = /^mqtts?:\/\/\[?(.*?)\]?:\d+$/.exec(settingIn(uci, 'broker') ?? '') ?? [];
  return isLoopback(host) ? host : null;
};
