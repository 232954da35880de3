"""Which names sound like secrets, in every spelling, and which only look like it.

A name is split into words, and its last words decide: `github_access_token` is a token,
`token_count` a count. Knows names only; what stands under them is the redactor's matter.
"""

import re
from functools import lru_cache
from typing import Final

from sidecar.redaction.words import words

_MAX_NAME: Final = 256

# camelCase and letters beside digits; "XMLHttpKey" is XML, Http, Key.
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+|\d+")
_RUNS: Final = re.compile(r"[^\W_]+")

#: A name that ends in one of these is a secret's, whatever stands before.
_SECRETS: Final = words(
    """
    password passwords passwd passwds passwrd passphrase passphrases passcode pwd pwds psw pswd
    secret secrets token tokens credential credentials cred creds
    authorization authentication bearer jwt jwts cookie cookies
    apikey apikeys apitoken apisecret accesskey accesskeyid secretkey privatekey authkey sshkey
    authtoken accesstoken refreshtoken idtoken sessiontoken bearertoken
    encryptionkey signingkey masterkey accountkey storagekey licensekey sharedkey
    clientsecret appsecret sessionid sessionkey sessid phpsessid jsessionid sid
    connectionstring connstring connstr
    pin pincode otp totp cvv cvc mnemonic auth pgpass
    """
)

#: A word run together of others that ends so: "mypassword", "pgpassword", "csrfmiddlewaretoken".
_SECRET_ENDS: Final = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "secretkey",
    "accesskey",
    "privatekey",
    "authkey",
    "connectionstring",
)

#: Pairs of words that are a secret's only together.
_SECRET_PAIRS: Final = frozenset(
    tuple(pair.split("_"))
    for pair in words(
        """
    api_key api_keys access_key access_keys private_key private_keys secret_key secret_keys
    encryption_key decryption_key signing_key signature_key ssh_key auth_key master_key account_key
    storage_key service_key deploy_key webhook_key session_key shared_key hmac_key aes_key rsa_key
    gpg_key pgp_key ssl_key tls_key app_key license_key licence_key subscription_key symmetric_key
    admin_key server_key write_key ingest_key integration_key recovery_key activation_key
    functions_key function_key consumer_key key_id session_id secret_id connection_string
    conn_string conn_str connection_str pass_phrase pass_word pass_code pin_code security_code
    verification_code recovery_code recovery_codes backup_codes mfa_code otp_code seed_phrase
    recovery_phrase
    db_pass database_pass user_pass smtp_pass mysql_pass postgres_pass pg_pass redis_pass ftp_pass
    sftp_pass ssh_pass admin_pass root_pass mail_pass email_pass imap_pass http_pass proxy_pass
    sudo_pass login_pass auth_pass mongo_pass ldap_pass wifi_pass account_pass key_pass store_pass
    secret_base password_hash
    """
    )
)

#: What a secret is still called a secret with: "password_value", "TOKEN_B64", "new_password2".
_DECORATIONS: Final = words(
    """
    value values text plain plaintext raw clear string str base64 b64 hex encoded decoded encrypted
    json pem yaml content contents data header headers again confirm confirmation repeat
    new old current previous prev temp tmp default prod production dev development test testing
    staging stage live local backup primary secondary main env var variable binary bytes base
    """
)

#: Before "token", "tokens" and the like: a place in a text or a list, a number, a flag; no secret.
_HARMLESS_BEFORE: Final = words(
    """
    max min maximum minimum total num number count avg average mean median per input output prompt
    completion reasoning cached context used remaining estimated generated allowed billed
    next page continuation pagination nextpage cursor sync resume start end stop
    pad padding eos bos unk mask sep cls special lexer syntax parse unexpected
    cancel cancellation public publishable design css color
    is has had needs need requires require use uses with without no show hide allow allows
    supports enable enabled disable disabled
    """
)

#: Of these names only text is a secret: a number counts or says where, true and false are flags.
_COUNTED: Final = frozenset({"tokens", "auth", "cookies", "sid", "authentication", "creds", "pass"})


def is_secret_name(name: str) -> bool:
    """Whether `name` says that what it names is a credential.

    Case, `_`, `-`, spaces, dots and camelCase make no difference: `API-Key`, `apiKey`,
    `X_API_KEY` and `apikey` are one. False for what only sounds like it, such as `token_count`,
    `max_tokens`, `primary_key`, `public_key`, `author`, `monkey`. Only the last 256 characters of
    a name count.
    """
    return _is_secret_name(name[-_MAX_NAME:])


def hides_numbers(name: str) -> bool:
    """Whether a number under a secret-sounding `name` is a secret too, such as a PIN.

    False where it rather counts something (`tokens: 512`).
    """
    parts = _WORDS.findall(name[-_MAX_NAME:])
    return not parts or parts[-1].lower() not in _COUNTED


@lru_cache(maxsize=4096)
def _is_secret_name(name: str) -> bool:
    parts = [word.lower() for word in _WORDS.findall(name)]
    decided = _decide(parts)
    if decided is None:
        # Spellings that no rule of capitals fits: "APIkey", "PassWord".
        runs = [run.lower() for run in _RUNS.findall(name)]
        decided = runs != parts and _decide(runs)
    return bool(decided)


def _decide(parts: list[str]) -> bool | None:
    """Whether the words name a secret; None if nothing about them says so or otherwise."""
    while (
        len(parts) > 1
        and (parts[-1] in _DECORATIONS or _is_version(parts[-1]))
        and (parts[-2], parts[-1]) not in _SECRET_PAIRS
    ):
        parts = parts[:-1]
    if not parts:
        return None
    last = parts[-1]
    before = parts[-2] if len(parts) > 1 else ""
    if before in _HARMLESS_BEFORE or (parts[0] in _HARMLESS_BEFORE and len(parts) == 2):
        return False
    if last in _SECRETS or (before, last) in _SECRET_PAIRS:
        return before != "key" or last != "id" or parts[-3:-2] in (["access"], ["secret"])
    if last == "pass" and len(parts) == 1:
        return True
    return True if last.endswith(_SECRET_ENDS) else None


def _is_version(word: str) -> bool:
    return word.isdigit() or (word[0] == "v" and word[1:].isdigit())
