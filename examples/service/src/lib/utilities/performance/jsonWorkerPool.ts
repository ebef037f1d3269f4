export {
  destroyJsonWorkerPool,
  getJsonWorkerPool,
  JSONLimitError,
  JSONWorkerPool,
  parseJSONAsync,
  stringifyJSONAsync,
} from 'keelson';
