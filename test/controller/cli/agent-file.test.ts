import { expect, it } from 'vitest';
import { agentFile, onlyHere, stillNeeded } from '../../../controller/cli/agent-file.ts';

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

it('nothing is needed beside lines that name an address, and no certificate', () => {
  expect(stillNeeded(["uci set perfleet.agent.broker='mqtt://192.0.2.1:1883'"])).toEqual([]);
});

it('an address that the UCI lines leave open is asked for', () => {
  expect(stillNeeded(["uci set perfleet.agent.broker='mqtt://CONTROLLER-ADDRESS:1883'"])).toEqual([
    'In place of CONTROLLER-ADDRESS write the name or address under which devices reach this machine.',
  ]);
});
