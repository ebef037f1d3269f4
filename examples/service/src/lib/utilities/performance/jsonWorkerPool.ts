export {
  destroyJsonWorkerPool,
  getJsonWorkerPool,
  JSONDocument,
  JSONLimitError,
  JSONWorkerPool,
  parseJSONAsync,
  stringifyJSONAsync,
} from 'keelson';
