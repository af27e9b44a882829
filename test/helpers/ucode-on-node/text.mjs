// @ts-check

/** A text of ucode is bytes: here each is a character below U+0100. @param {string} text */
export const toBytes = (text) => Buffer.from(text, 'latin1');

/** @param {Uint8Array | string} bytes or a text of JavaScript */
export const fromBytes = (bytes) => Buffer.from(bytes).toString('latin1');

/** For what JavaScript writes as UTF-8 itself. @param {string} text */
export const toUtf8 = (text) => toBytes(text).toString('utf8');

/** json-c goes no deeper. */
const DEPTH = 32;

/** @param {string} text @param {string} other */
const count = (text, other) => text.split(other).length - 1;

/** @param {string} text */
const checkDepth = (text) => {
  let depth = 0;
  for (const part of text.replace(/"(?:[^"\\]|\\.)*"/gs, '').split(/(?=[[{])/)) {
    depth += count(part, '[') + count(part, '{');
    if (depth > DEPTH) throw new SyntaxError('Failed to parse JSON string: nesting too deep');
    depth -= count(part, ']') + count(part, '}');
  }
};

/** @param {string} escaped a character of JSON */
const withoutEscape = (escaped) => {
  const text = escaped.startsWith('\\u') ? JSON.parse(`"${escaped}"`) : '';
  return text >= '\x80' ? fromBytes(text) : escaped;
};

/** ucode's `json()`: UTF-8 is not checked. @param {string} text @returns {unknown} */
export const parseJson = (text) => {
  checkDepth(text);
  return JSON.parse(text.replace(/\\(u[0-9a-fA-F]{4}(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|.)/gs, withoutEscape));
};

/** What is not there is null in ucode. @param {unknown} value */
export const formatJson = (value) => JSON.stringify(value ?? null, (_, part) => (part === undefined ? null : part));
