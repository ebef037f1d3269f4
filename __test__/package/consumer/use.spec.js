const keelson = require('keelson');
const useEverything = require('./everything.js');

test('keelson works', async () => {
  expect(await useEverything(keelson)).toStrictEqual(useEverything.FOUND);
});
