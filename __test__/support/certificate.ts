import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './process';
import { hand } from './servers/account';

/** A certificate for localhost and 127.0.0.1, signed by its own key, which protects nothing but the tests of TLS. */
export const certificate = `
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUeWe+gp7tyE4udntR5xSffOqBRQswCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNTIzMDk0OFoYDzIxMjYxMTAx
MjMwOTQ4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARRUkhRvvE/WHOrwZjHpLDJydbceo6wQSy+36HvSt39g08lVuI56+79
U47lqpHambiiPPOAkAYjMzwBe7ymrc2yo28wbTAdBgNVHQ4EFgQUhUMaSa6ZNBzE
fGgYg76gEn12gEcwHwYDVR0jBBgwFoAUhUMaSa6ZNBzEfGgYg76gEn12gEcwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgIMXVe1g7rnj7NpG1mQU41NZi3Hkez7QuBG0OTeR0g5UCIQCr
lXN3bYCWQMuWWLHZx87Ruw0okEkFmPkIlPFN28n+dg==
-----END CERTIFICATE-----
`;

const key = `
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+xb69MqtMp1yDFFN
RI6KzrfL0878ewE1YLlpkmc01yGhRANCAARRUkhRvvE/WHOrwZjHpLDJydbceo6w
QSy+36HvSt39g08lVuI56+79U47lqpHambiiPPOAkAYjMzwBe7ymrc2y
-----END PRIVATE KEY-----
`;

/** Files of them as a server wants them, in a folder that `remove` deletes. */
export function certificateFiles(): { cert: string; key: string; remove: () => void } {
  const { folder, remove } = temporaryFolder();
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.cert, certificate);
  writeFileSync(files.key, key, { mode: 0o600 });
  chmodSync(folder, 0o755);
  hand(folder);
  return { ...files, remove };
}
