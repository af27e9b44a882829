import { expect, it } from 'vitest';
import { agentFile, onlyHere } from '../../../controller/cli/agent-file.ts';

it('the file for Node.js names no certificate when the UCI lines name none', () => {
  expect(agentFile('ap-1', ["uci set perfleet.agent.broker='mqtt://192.0.2.1:1883'"])).toEqual([
    'device: ap-1',
    'broker: mqtt://192.0.2.1:1883',
    'password_file: /etc/perfleet/password',
  ]);
});

it('the file for Node.js leaves a place for a broker that the UCI lines do not tell', () => {
  expect(agentFile('ap-1', [])).toContain('broker: mqtt://CONTROLLER:1883');
});

it('a broker that the UCI lines do not tell is not known to be only here', () => {
  expect(onlyHere([])).toBeNull();
  expect(onlyHere(["uci set perfleet.agent.broker='mqtt://127.0.0.1:1883'"])).toBe('127.0.0.1');
});
