/**
 * Whether V8 has https://github.com/nodejs/node/issues/63785: once JSON.parse has seen a name with a backslash, it
 * may take other names with an escape for it. Tests against JSON.parse leave out such names then.
 */
export const misreadsNames: boolean;
