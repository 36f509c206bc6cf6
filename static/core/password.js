/** What a new password must be, as far as that can be seen without asking. */

const LENGTH_MIN = 8;
const LENGTH_MAX = 128;

/**
 * Each rule by the name of its message, and whether the password keeps it.
 * @param {string} password
 * @returns {[rule: string, kept: boolean][]}
 */
export function passwordRules(password) {
  const { length } = Array.from(password.normalize('NFKC'));
  return [
    ['passwordLength', length >= LENGTH_MIN && length <= LENGTH_MAX],
    ['passwordLower', /\p{Ll}/u.test(password)],
    ['passwordUpper', /\p{Lu}/u.test(password)],
    ['passwordDigit', /\p{Nd}/u.test(password)],
  ];
}
