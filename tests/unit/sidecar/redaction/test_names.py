"""Which names sound like secrets."""

import pytest

from sidecar.redaction import is_secret_name

SECRET_NAMES = """
    api_key apikey apiKey API_KEY API-Key X-Api-Key APIKey APIkey api.key openai_api_key
    password Password PASSWD passphrase pwd PassWord passWord pass_word user.password db_password
    dbPassword password2 new_password old-password password_confirmation mypassword PGPASSWORD
    pass user_pass smtp_pass secret client_secret clientSecret CLIENT-SECRET CLIENT_SECRET_V2
    SECRET_KEY_BASE webhook_secret token access_token accessToken refresh_token id_token auth_token
    authToken _authToken GITHUB_TOKEN githubToken oauth_token OAuthToken oauth2_token token_value
    csrfmiddlewaretoken csrf_token aws_session_token authorization Authorization
    proxy_authorization Proxy-Authorization authorization_header cookie Set-Cookie private_key
    privateKey private_key_pem ssh_private_key credential credentials credentials_json session_id
    sessionId connection_string connectionString aws_secret_access_key AWS_SECRET_ACCESS_KEY
    awsSecretAccessKey aws_access_key_id bearer jwt pin otp totp_secret account_key AccountKey
    SharedAccessKey encryption_key signing_key master_key _auth TOKEN_B64 tokens
"""
OTHER_NAMES = """
    token_count max_tokens maxTokens tokenizer tokenize tokenizer_name total_tokens prompt_tokens
    tokens_used token_type tokenType token_url token_endpoint token_expires_at tokens_per_second
    next_page_token nextToken pad_token eos_token is_token public_token monkey turkey donkey
    primary_key foreign_key public_key publicKey key keys key_id key_name keyboard keyword sort_key
    partition_key cache_key author authors authority authenticated authorization_url auth_type
    oauth_enabled password_length password_policy password_hint has_password hasPassword
    require_password passwordless secretary secret_name secret_arn secret_count client_id passenger
    passed passing compass bypass pass_rate passes first_pass credential_type credentials_file
    private_key_path cookie_policy cookie_name cookies_enabled session session_count pinned spin
    opinion expires_in file folder total n id name workflow_id inputs outputs data value text string
    v1 2 _ -
"""


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_secret_name_is_known_in_every_spelling(name: str) -> None:
    assert is_secret_name(name)


def test_only_the_end_of_an_endless_name_counts() -> None:
    assert is_secret_name("x" * 100_000 + "_password")
    assert not is_secret_name("password_" + "x" * 100_000)


@pytest.mark.parametrize("name", [*OTHER_NAMES.split(), "", "пароль", "x" * 10_000])
def test_name_that_only_sounds_alike_is_no_secret(name: str) -> None:
    assert not is_secret_name(name)
