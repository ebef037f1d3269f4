// node validateOpenAPI.mjs FILE: prints what is wrong with each of an array of OpenAPI documents.
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';

const found = [];
for (const document of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(document);
  found.push({ version: validator.version, errors: valid ? [] : errors });
}
console.log(JSON.stringify(found));
