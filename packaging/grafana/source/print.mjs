// @ts-check

const WIDTH = 120;

/** @param {unknown} value @returns {string} */
const onOneLine = (value) => {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${onOneLine(inner)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
};

/**
 * JSON that keeps on one line what fits there, as the formatter of this repository wants it.
 * @param {unknown} value
 * @param {string} [indent]
 * @param {number} [before] characters that stand on the line already
 * @returns {string}
 */
export const print = (value, indent = '', before = 0) => {
  const line = onOneLine(value);
  if (typeof value !== 'object' || value === null) return line;
  if (before + line.length < WIDTH) return line;
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const parts = Object.entries(value).map(([key, one]) => {
    const start = `${inner}${Array.isArray(value) ? '' : `${JSON.stringify(key)}: `}`;
    return `${start}${print(one, inner, start.length)}`;
  });
  return `${open}\n${parts.join(',\n')}\n${indent}${close}`;
};
