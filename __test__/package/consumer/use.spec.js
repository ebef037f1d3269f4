test('keelson works', () => {
  const said = jest.spyOn(console, 'log').mockImplementation(() => {});
  require('./use.js');
  expect(said).toHaveBeenCalledTimes(1);
});
