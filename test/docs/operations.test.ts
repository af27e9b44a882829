import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { StatusView } from '../../controller/api/status-view.ts';
import { root } from '../../packaging/root.mjs';
import { codeIn, section } from './markdown.ts';

const PAGE = 'docs/operations.md';

const sources = ['agent', 'broker', 'controller']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(root, folder, name)),
  )
  .filter((path) => path.endsWith('.ts'))
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n');

it('each log message in docs/operations.md is in the code', () => {
  const messages = section(PAGE, 'Log').rows.flatMap(([first = '']) => codeIn(first));
  expect(messages.length).toBeGreaterThan(20);
  const literal = (message: string) => message.replace('…', '');
  expect(messages.filter((message) => !sources.includes(literal(message)))).toEqual([]);
});

it('the status in docs/operations.md is what the API gives', () => {
  const { rows, blocks } = section(PAGE, 'Monitoring');
  const [, text = ''] = (blocks[0]?.text ?? '').split('\n');
  expect(StatusView.parse(JSON.parse(text))).toEqual(JSON.parse(text));
  const influx = Object.keys(StatusView.shape.influx.unwrap().shape).map((key) => `influx.${key}`);
  const broker = Object.keys(StatusView.shape.broker.unwrap().shape).map((key) => `broker.${key}`);
  const known = [...Object.keys(StatusView.shape), ...broker, ...influx];
  const named = rows.flatMap((cells) => codeIn(cells[0] ?? ''));
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((field) => !known.includes(field))).toEqual([]);
  expect(broker.filter((field) => !named.includes(field))).toEqual([]);
});
