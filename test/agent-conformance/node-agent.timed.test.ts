import { inject } from 'vitest';
import { nodeAgent } from '../helpers/shipped-agents.ts';
import { itConforms } from './conforming.ts';

itConforms(() => nodeAgent(inject('programs')));
