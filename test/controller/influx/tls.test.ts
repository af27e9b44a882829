import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../broker/clock.ts';
import type { InfluxTls } from '../../../controller/config/settings.ts';
import type { InfluxWriter } from '../../../controller/influx/writer.ts';
import { writerV1 } from '../../../controller/influx/writer-v1.ts';
import { writerV2 } from '../../../controller/influx/writer-v2.ts';
import { makeCertificate } from '../../helpers/certificates.ts';
import { points } from './samples.ts';

/** Takes whatever comes, over TLS, with a certificate that no known authority signed. */
const certificate = makeCertificate();
const server = createServer(certificate, (request, response) => {
  request.resume().on('end', () => response.writeHead(204).end());
});
let url = '';
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

type WriterOf = (tls?: InfluxTls) => InfluxWriter;
const WRITERS: [string, WriterOf][] = [
  [
    '1.x',
    (tls) =>
      writerV1(
        { version: 1, url, database: 'b', username: null, password: null, ...(tls === undefined ? {} : { tls }) },
        systemClock,
      ),
  ],
  [
    '2.x',
    (tls) =>
      writerV2(
        { version: 2, url, organization: 'o', bucket: 'b', token: 't', ...(tls === undefined ? {} : { tls }) },
        systemClock,
      ),
  ],
];

test.each(WRITERS)('version %s: a certificate of an unknown authority is refused', async (_version, writer) => {
  const outcome = await writer().write(points(1));
  expect(outcome).toMatchObject({ kind: 'retry', reason: expect.stringMatching(/gave no answer .*self-signed/) });
});

test.each(WRITERS)('version %s: tls.ca_file says whose certificates are good', async (_version, writer) => {
  expect(await writer({ ca: certificate.cert, insecure: false }).write(points(1))).toEqual({ kind: 'ok' });
});

test.each(WRITERS)('version %s: with tls.insecure any certificate will do', async (_version, writer) => {
  expect(await writer({ ca: null, insecure: true }).write(points(1))).toEqual({ kind: 'ok' });
});
