import { writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { makeCertificate } from '../helpers/certificates.ts';
import { fleetTest } from '../helpers/fleet-test.ts';

const test = fleetTest();

test.concurrent('an agent that trusts the certificate of the broker is measured; one that does not says why', async ({
  fleet,
}) => {
  const { cert, key } = makeCertificate();
  writeFileSync(fleet.path('cert.pem'), cert);
  writeFileSync(fleet.path('key.pem'), key, { mode: 0o600 });
  writeFileSync(fleet.path('other.pem'), makeCertificate().cert);
  const listen = `mqtts://127.0.0.1:${fleet.mqtt_port}`;
  await fleet.serve({ broker: { listen, tls: { cert: 'cert.pem', key: 'key.pem' } } });
  const one = await fleet.addDevice('ap-1');
  expect(one.broker).toBe(listen);
  fleet.agent(one, { tls: { ca: fleet.path('cert.pem') } });
  await fleet.allOnline();

  const two = await fleet.addDevice('ap-2');
  const wrong = fleet.agent(two, { tls: { ca: fleet.path('other.pem') } });
  const trusting = await fleet.addDevice('ap-3');
  const none = fleet.agent(trusting);
  for (const agent of [wrong, none]) {
    await agent.says(/no connection to the broker .*"reason":"[^"]*self-signed certificate/);
    expect(agent.running).toBe(true);
    expect(agent.stderr).not.toContain('connected to the broker');
  }

  expect(await fleet.over(await fleet.order('ap-1'))).toMatchObject({ outcome: 'success', measurements: [{}] });
  const devices = await fleet.api.devices();
  expect(devices.map(({ device, online }) => [device, online])).toEqual([
    ['ap-1', true],
    ['ap-2', false],
    ['ap-3', false],
  ]);
});
