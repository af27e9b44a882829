import { z } from 'zod';

const deepFreeze = <T extends object>(value: T): T => {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) deepFreeze(part);
  return Object.freeze(value);
};

/** A column that holds JSON text. */
export const jsonColumn = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: `not JSON: ${String(error)}` });
        return z.NEVER;
      }
    })
    .pipe(schema);

/** So many texts are remembered by `repeatedJson`, for each column. */
const MAX_REPEATED = 256;

/**
 * As `jsonColumn`, for a column in which few texts stand in many rows: each is parsed once, and what comes of it is shared and frozen.
 */
export const repeatedJson = <T extends object>(schema: z.ZodType<T>) => {
  const column = jsonColumn(schema);
  const known = new Map<string, T>();
  return z.string().transform((text, context): T => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const parsed = column.safeParse(text);
    if (!parsed.success) {
      for (const { path, message } of parsed.error.issues) context.addIssue({ code: 'custom', path, message });
      return z.NEVER;
    }
    if (known.size >= MAX_REPEATED) known.clear();
    known.set(text, deepFreeze(parsed.data));
    return parsed.data;
  });
};
