import { join } from 'node:path';
import { inject } from 'vitest';
import { itConforms } from './conforming.ts';

itConforms(() => `node ${join(inject('programs'), 'agent.js')}`);
