import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { readHttp } from '../config/http-section.ts';
import { formatProblems } from '../config/problem.ts';
import { Reader } from '../config/reader.ts';
import { SecretFolder } from '../config/secret-folder.ts';
import { readYaml } from '../config/yaml-source.ts';
import { CommandFailure, messageOf } from './failure.ts';

export const DEFAULT_CONFIG = '/etc/perfleet/perfleet.yaml';

/** Where a controller answers, and what it wants to see. */
export interface ControllerAddress {
  url: string;
  token: string;
}

/** A controller that listens everywhere is found on the loopback of this machine. */
const EVERYWHERE: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

const urlOf = (host: string, port: number): string => {
  const name = EVERYWHERE[host] ?? host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
};

/** Only `http` is read: who may ask the controller need not be able to read its other secrets. */
const readAddress = (file: string, env: NodeJS.ProcessEnv): ControllerAddress => {
  let yaml: string;
  try {
    yaml = readFileSync(file, 'utf8');
  } catch (cause) {
    const advice = 'Name the right file with --config, or set PERFLEET_URL and PERFLEET_TOKEN';
    throw new CommandFailure(`cannot find the controller: ${messageOf(cause)}. ${advice}`, { cause });
  }
  const source = readYaml(yaml);
  const reader = new Reader(source, new SecretFolder(dirname(resolve(file)), env));
  const { http } = z.looseObject({ http: z.unknown() }).catch({ http: null }).parse(source.data);
  const { host, port, token } = readHttp(reader, http);
  const problems = source.readable ? reader.problems : source.problems;
  if (problems.length > 0) throw new CommandFailure(formatProblems(problems, file));
  return { url: urlOf(host, port), token };
};

/**
 * The controller's address from PERFLEET_URL and PERFLEET_TOKEN; what they leave open is read from `http` in `file`.
 * Throws CommandFailure when neither tells it.
 */
export const findController = (file: string, env: NodeJS.ProcessEnv): ControllerAddress => {
  const { PERFLEET_URL: url, PERFLEET_TOKEN: token } = env;
  if (url && !(/^https?:/.test(url) && URL.canParse(url))) {
    throw new CommandFailure(`PERFLEET_URL is ${url}: expected a URL such as http://127.0.0.1:8080`);
  }
  if (url && token) return { url, token };
  const address = readAddress(file, env);
  return { url: url || address.url, token: token || address.token };
};
