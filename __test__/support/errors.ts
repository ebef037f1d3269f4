/** The error of an argument that is refused, whose message has `told` in it. */
export const refused = (told: string) =>
  expect.objectContaining({
    name: 'InvalidArgumentError',
    code: 'ERR_KEELSON_INVALID_ARGUMENT',
    message: expect.stringContaining(told),
  });
