export interface User {
  name: string;
  role: 'admin' | 'customer';
  /** Base64url. */
  salt: string;
  /** scrypt (N = 16384, r = 8, p = 1) of the password in NFKC, 32 bytes, base64url. */
  passwordHash: string;
}

/** Demonstration users; their passwords are in the README, and nothing else is protected by them. */
export const USERS: readonly User[] = [
  {
    name: 'ada',
    role: 'admin',
    salt: 'qOmbNLC91kLALAoR_0CuLA',
    passwordHash: 'WV_x8eTJVFhH18AnzFomzyd8p-K4uBsg3K07qi8Vixo',
  },
  {
    name: 'grace',
    role: 'customer',
    salt: 'aTezYOsWFLt8VNWTJ85FfA',
    passwordHash: 'VtA4C94Cs1Q_yHUTBSu0cBvkbfK4tDDcEIKV65RmywY',
  },
];
