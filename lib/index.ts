export type { KeelsonErrorCode } from './errors.js';
export { DestroyedError, InvalidArgumentError, KeelsonError } from './errors.js';
