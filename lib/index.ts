export type { CircularBufferOptions } from './circularBuffer.js';
export { CircularBuffer } from './circularBuffer.js';
export type { KeelsonErrorCode } from './errors.js';
export { DestroyedError, InvalidArgumentError, KeelsonError } from './errors.js';
