declare const PERFLEET_VERSION: string;

/** The version in package.json; esbuild and vitest put it in (packaging/build/version.mjs). */
export const version = PERFLEET_VERSION;
